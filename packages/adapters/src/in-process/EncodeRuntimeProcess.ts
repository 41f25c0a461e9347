import {
  EncodeRuntime,
  EncodeRuntimeUnavailable,
  type EncodeRunState,
  type EncodeSubmission,
  newUuid
} from "@lectern/domain"
import * as NodeStream from "@effect/platform-node/NodeStream"
import { Deferred, Effect, Fiber, FiberMap, Layer, Option, Schema, Scope, Semaphore, Stream } from "effect"
import { type ChildProcess, spawn } from "node:child_process"
import { constants } from "node:os"
import type { Readable } from "node:stream"
import { containerVariables } from "../batch/BatchNames.ts"
import { type ChildPorts, serveChildPorts } from "./serveChildPorts.ts"

export interface EncodeRuntimeProcessOptions {
  /** The worker's program and its arguments, as for `spawn`. */
  readonly command: string
  readonly args: ReadonlyArray<string>
  /** What the container would have: settings of the worker. PATH and HOME are handed on besides, nothing else of ours. */
  readonly env: Readonly<Record<string, string>>
  /** How many runs at once. */
  readonly concurrency: number
  /** How many runs may wait; 1,000 by default. A submit beyond fails and may be tried again. */
  readonly maxWaiting?: number
  /** How many ended runs are remembered with their exit code; 1,000 by default. */
  readonly history?: number
  /** What of this process a run may use over its IPC channel; nothing by default. */
  readonly ports?: ChildPorts
}

/** How long a run may take to end by itself after SIGTERM, as on Batch. */
const endWithin = "30 seconds"

/** The last words of a run that has ended are waited for so long. */
const lastWordsWithin = "1 seconds"

/** A submission is a step within this process: whoever finds one open after so long finds what a process before this one left. */
const findableAfterMillis = 5_000

interface Run {
  readonly id: string
  readonly job: EncodeSubmission
  state: EncodeRunState
  /** Why it was terminated, if it was. */
  terminated: string | null
}

interface ChildExit {
  readonly exitCode: number
  readonly reason: string
}

/** The program of a run did not start at all. */
class SpawnFailed extends Schema.TaggedError<SpawnFailed>()("SpawnFailed", { cause: Schema.Defect() }) {}

const idPattern = /^process-([0-9a-f-]{36})-([0-9]+)$/

/** As a shell and Batch count: 128 and the number of the signal. */
const signalExitCode = (signal: NodeJS.Signals): number => 128 + constants.signals[signal]

const isGone = (cause: unknown): boolean => cause instanceof Error && "code" in cause && cause.code === "ESRCH"

/** Signals the whole group of a child, which has its own: what the program has started goes with it. */
const signalGroup = (pid: number, signal: NodeJS.Signals): void => {
  try {
    process.kill(-pid, signal)
  } catch (cause) {
    if (!isGone(cause)) throw cause
  }
}

/**
 * Encodes as child processes of this one: each run is the worker's own program in the container's environment. It ends as a
 * container does: SIGTERM, then SIGKILL for it and all that it started; and all of them with the layer's scope.
 *
 * An array is one run here: ffmpeg alone takes all cores, and several of them would take those from each other.
 *
 * The id of a run names this process. A run of an earlier one has ended: children do not outlive their parent
 * (see `exitWithParent`).
 */
export const layer = (options: EncodeRuntimeProcessOptions): Layer.Layer<EncodeRuntime> =>
  Layer.effect(
    EncodeRuntime,
    Effect.gen(function*() {
      const instance = yield* newUuid
      const maxWaiting = options.maxWaiting ?? 1_000
      const history = options.history ?? 1_000
      const slots = yield* Semaphore.make(options.concurrency)
      const fibers = yield* FiberMap.make<string, void>()
      // A run belongs to the machine, not to the request that submitted it: not its trace, its log or its end.
      const runFiber = yield* FiberMap.runtime(fibers)<never>()
      const runs = new Map<string, Run>()
      const ended: Array<string> = []
      let lastNumber = 0

      const end = (run: Run, exitCode: number | null, reason: string): void => {
        if (run.state._tag === "Ended") return
        run.state = { _tag: "Ended", exitCode, reason }
        ended.push(run.id)
        for (const forgotten of ended.splice(0, Math.max(0, ended.length - history))) runs.delete(forgotten)
      }

      const environment = ({ id, job: { jobId, tenantId } }: Run): Record<string, string> => ({
        ...Object.fromEntries(["PATH", "HOME"].flatMap((name) => {
          const value = process.env[name]
          return value === undefined ? [] : [[name, value]]
        })),
        ...options.env,
        [containerVariables.jobId]: jobId,
        [containerVariables.tenantId]: String(tenantId),
        [containerVariables.attempt]: "1",
        [containerVariables.runId]: id
      })

      const start = (run: Run, exit: Deferred.Deferred<ChildExit>): Effect.Effect<ChildProcess, SpawnFailed> =>
        Effect.callback<ChildProcess, SpawnFailed>((resume) => {
          const child = spawn(options.command, options.args, {
            env: environment(run),
            stdio: ["ignore", "pipe", "pipe", "ipc"],
            serialization: "advanced",
            detached: true
          })
          child.once("error", (cause) => resume(Effect.fail(new SpawnFailed({ cause }))))
          child.once("spawn", () => resume(Effect.succeed(child)))
          child.once("exit", (code, signal) => {
            if (child.pid !== undefined) signalGroup(child.pid, "SIGKILL")
            Deferred.doneUnsafe(
              exit,
              Effect.succeed(
                signal === null
                  ? { exitCode: code ?? 0, reason: `the program ended with exit code ${code ?? 0}` }
                  : { exitCode: signalExitCode(signal), reason: `the program was ended by ${signal}` }
              )
            )
          })
        })

      const stop = (child: ChildProcess, exit: Deferred.Deferred<ChildExit>): Effect.Effect<ChildExit> =>
        Effect.gen(function*() {
          if (!(yield* Deferred.isDone(exit))) child.kill("SIGTERM")
          return yield* Effect.timeoutOrElse(Deferred.await(exit), {
            duration: endWithin,
            orElse: () =>
              Effect.andThen(
                Effect.sync(() => {
                  if (child.pid !== undefined) signalGroup(child.pid, "SIGKILL")
                }),
                Deferred.await(exit)
              )
          })
        })

      const forward = (source: Readable | null): Effect.Effect<void> =>
        source === null ? Effect.void : NodeStream.fromReadable<Uint8Array, SpawnFailed>({
          evaluate: () => source,
          onError: (cause) => new SpawnFailed({ cause })
        }).pipe(
          Stream.decodeText,
          Stream.splitLines,
          Stream.runForEach((line) => Effect.logInfo(line)),
          // The pipe broke with its process; the exit says what happened.
          Effect.catchTag("SpawnFailed", (error) => Effect.logDebug("The output of a run broke off", { error: error.message }))
        )

      const execute = (run: Run): Effect.Effect<void> =>
        Effect.gen(function*() {
          const exit = yield* Deferred.make<ChildExit>()
          run.state = { _tag: "Running" }
          // What a run that is told to stop still has to say goes through its ports: they close after its end, not before.
          const served = yield* Effect.scope
          yield* Effect.acquireUseRelease(
            start(run, exit),
            (child) =>
              Effect.gen(function*() {
                const words = yield* Effect.all([forward(child.stdout), forward(child.stderr)], { concurrency: 2, discard: true })
                  .pipe(Effect.forkIn(served))
                yield* Scope.provide(serveChildPorts(child, options.ports ?? {}), served)
                const outcome = yield* Deferred.await(exit)
                yield* Effect.timeoutOption(Fiber.await(words), lastWordsWithin)
                yield* Effect.logInfo("A run ended", outcome)
              }),
            (child) =>
              Effect.map(stop(child, exit), ({ exitCode, reason }) => end(run, exitCode, run.terminated ?? reason))
          )
        }).pipe(
          Effect.scoped,
          Effect.catchTag("SpawnFailed", (error) => {
            end(run, null, `the program could not be started: ${String(error.cause)}`)
            return Effect.logError("A run could not be started", { command: options.command, error: String(error.cause) })
          }),
          // A run that was stopped on its way to its start has no exit code; for any other this comes second and changes nothing.
          Effect.ensuring(Effect.sync(() => end(run, null, run.terminated ?? "it was stopped before it started"))),
          Effect.annotateLogs({ job: run.job.jobId, tenant: run.job.tenantId, run: run.id })
        )

      const waitingRuns = (): ReadonlyArray<Run> => [...runs.values()].filter((run) => run.state._tag === "Waiting")

      const isOf = ({ jobId, submission, tenantId }: EncodeSubmission) => ({ job }: Run): boolean =>
        job.jobId === jobId && job.tenantId === tenantId && job.submission === submission

      const submit: EncodeRuntime["Service"]["submit"] = Effect.fn("EncodeRuntime.submit")(function*(submission) {
        const { jobId } = submission
        const waiting = waitingRuns()
        if (waiting.length >= maxWaiting) {
          return yield* new EncodeRuntimeUnavailable({
            operation: `submit job "${jobId}"`,
            retryable: true,
            cause: new Error(`${maxWaiting} runs wait already`)
          })
        }
        lastNumber += 1
        const run: Run = {
          id: `process-${instance}-${lastNumber}`,
          job: submission,
          state: { _tag: "Waiting" },
          terminated: null
        }
        runs.set(run.id, run)
        runFiber(run.id, slots.withPermit(execute(run)))
        return run.id
      })

      const stateOf = (id: string): EncodeRunState => {
        const run = runs.get(id)
        if (run !== undefined) return run.state
        const [, maker, number] = idPattern.exec(id) ?? []
        if (maker === undefined) return { _tag: "Unknown" }
        if (maker !== instance) return { _tag: "Vanished", reason: "the machine was restarted" }
        return Number(number) <= lastNumber
          ? { _tag: "Ended", exitCode: null, reason: "the run ended long ago" }
          : { _tag: "Unknown" }
      }

      const terminate: EncodeRuntime["Service"]["terminate"] = (externalId, reason) =>
        Effect.sync(() => {
          const run = runs.get(externalId)
          if (run === undefined || run.state._tag === "Ended" || run.terminated !== null) return
          run.terminated = reason
          const fiber = FiberMap.getUnsafe(fibers, externalId)
          if (run.state._tag === "Waiting") end(run, null, reason)
          // Its end may take half a minute; nobody has to wait for it here.
          if (Option.isSome(fiber)) fiber.value.interruptUnsafe()
        }).pipe(Effect.withSpan("EncodeRuntime.terminate"))

      return EncodeRuntime.of({
        findableAfterMillis,
        submit,
        find: (submission) =>
          Effect.sync(() =>
            [...runs.values()]
              .filter(isOf(submission))
              .toSorted((a, b) => Number(a.state._tag === "Ended") - Number(b.state._tag === "Ended"))
              .map(({ id }) => id)
          ),
        atWork: Effect.sync(() =>
          [...runs.values()]
            .filter((run) => run.state._tag === "Running" && run.terminated === null)
            .map(({ id, job: { jobId, submission, tenantId } }) => ({ runId: id, jobId, tenantId, submission }))
        ),
        describe: (externalIds) => Effect.sync(() => new Map(externalIds.map((id) => [id, stateOf(id)]))),
        terminate
      })
    })
  )
