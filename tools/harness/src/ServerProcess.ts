/** A server as a child process: it is started, answers, freezes, dies and comes back on the same port. */
import { Clock, Deferred, Duration, Effect, Ref, Schedule, type Scope } from "effect"
import { execFileSync, spawn } from "node:child_process"
import { readFileSync } from "node:fs"
import { HarnessError } from "./HarnessError.ts"
import type { Owner } from "./TemporaryFolder.ts"
import * as Warden from "./Warden.ts"

/** How a server is started, asked whether it is there, and ended. */
export interface ServerPlan {
  /** The server's name in messages, such as `Redis`. */
  readonly name: string
  readonly command: string
  readonly args: ReadonlyArray<string>
  readonly env?: NodeJS.ProcessEnv
  /** The user to run as; only root can choose one. */
  readonly owner?: Owner
  /** Ends the server at once, with what children it has. */
  readonly endSignal: NodeJS.Signals
  /** Talks to the server that should have process id `pid`; fails as long as it does not answer as it should. */
  readonly probe: (pid: number) => Effect.Effect<void, HarnessError>
}

interface Running {
  readonly pid: number
  readonly ended: Deferred.Deferred<string>
  readonly signal: (name: NodeJS.Signals) => void
}

/** A server under a scope. It is killed with the scope, and also when the test process dies. */
export interface ServerProcess {
  /** The process id of the present incarnation. */
  readonly pid: Effect.Effect<number>
  /** SIGSTOP: the server keeps its connections and answers nothing. Returns when it has stopped. */
  readonly freeze: Effect.Effect<void, HarnessError>
  /** SIGCONT: the server goes on where it was. */
  readonly thaw: Effect.Effect<void>
  /** Ends the server at once, as a crash would; returns when its process is gone. */
  readonly kill: Effect.Effect<void>
  /** Kills the server if it runs, starts it again on the same port and returns when it answers. */
  readonly restart: Effect.Effect<void, HarnessError>
}

const tailChars = 4000
const startWithin = Duration.seconds(30)
const obeyWithin = Duration.seconds(5)

/** Servers live in real time, also in a test whose clock stands still. */
const inRealTime = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.provideService(effect, Clock.Clock, Clock.Clock.defaultValue())

const launch = (plan: ServerPlan): Effect.Effect<Running, HarnessError> =>
  Effect.callback<Running, HarnessError>((resume) => {
    const ended = Deferred.makeUnsafe<string>()
    let output = ""
    const child = spawn(plan.command, plan.args, {
      stdio: ["ignore", "pipe", "pipe"],
      env: plan.env ?? process.env,
      ...plan.owner
    })
    const collect = (chunk: Buffer): void => {
      output = (output + chunk.toString("utf8")).slice(-tailChars)
    }
    child.stdout.on("data", collect)
    child.stderr.on("data", collect)
    child.once("error", (cause) => {
      resume(Effect.fail(
        new HarnessError({ message: `Cannot start ${plan.name} as ${plan.command}: ${cause.message}`, output, cause })
      ))
    })
    child.once("spawn", () => {
      const { pid } = child
      if (pid === undefined) return
      Warden.hold(pid, plan.endSignal)
      resume(Effect.succeed({ pid, ended, signal: (name) => void child.kill(name) }))
    })
    child.once("close", () => {
      if (child.pid !== undefined) Warden.release(child.pid)
      Deferred.doneUnsafe(ended, Effect.succeed(output))
    })
  })

const end = (plan: ServerPlan, running: Running): Effect.Effect<void> =>
  Effect.sync(() => {
    running.signal(plan.endSignal)
    running.signal("SIGCONT")
  }).pipe(
    Effect.andThen(Deferred.await(running.ended)),
    Effect.timeoutOrElse({
      duration: obeyWithin,
      orElse: () => Effect.andThen(Effect.sync(() => running.signal("SIGKILL")), Deferred.await(running.ended))
    }),
    Effect.asVoid,
    inRealTime
  )

const launchReady = (plan: ServerPlan): Effect.Effect<Running, HarnessError> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.gen(function*() {
      const running = yield* launch(plan)
      const answers = plan.probe(running.pid).pipe(Effect.retry(Schedule.spaced("10 millis")))
      const diedFirst = Effect.flatMap(
        Deferred.await(running.ended),
        (output) => Effect.fail(new HarnessError({ message: `${plan.name} ended before it answered: ${output}`, output }))
      )
      yield* restore(Effect.raceFirst(answers, diedFirst)).pipe(
        Effect.timeoutOrElse({
          duration: startWithin,
          orElse: () =>
            Effect.fail(
              new HarnessError({ message: `${plan.name} did not answer within ${Duration.format(startWithin)}`, output: "" })
            )
        }),
        Effect.onError(() => end(plan, running))
      )
      return running
    })
  ).pipe(inRealTime)

/** Whether the process is stopped, as the system sees it: signals are delivered a little after `kill` returns. */
const isStopped = (pid: number): boolean => {
  const state = process.platform === "linux"
    // The second field is the program's name in parentheses, which may hold spaces; the state follows it.
    ? readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)
    : execFileSync("ps", ["-o", "state=", "-p", String(pid)], { encoding: "utf8" })
  return state?.trim().startsWith("T") ?? false
}

const freeze = (plan: ServerPlan, running: Running): Effect.Effect<void, HarnessError> =>
  Effect.try({
    try: () => {
      running.signal("SIGSTOP")
      return running.pid
    },
    catch: (cause) => new HarnessError({ message: `Cannot freeze ${plan.name}: ${String(cause)}`, output: "", cause })
  }).pipe(
    Effect.flatMap((pid) =>
      Effect.try({
        try: () => isStopped(pid),
        catch: (cause) => new HarnessError({ message: `Cannot see ${plan.name} freeze: ${String(cause)}`, output: "", cause })
      })
    ),
    Effect.repeat({ until: (stopped) => stopped, schedule: Schedule.spaced("1 millis") }),
    Effect.asVoid,
    inRealTime
  )

/** Starts the server of `plan` and returns when it answers. */
export const startServer = (plan: ServerPlan): Effect.Effect<ServerProcess, HarnessError, Scope.Scope> =>
  Effect.gen(function*() {
    const current = yield* Effect.acquireRelease(
      Effect.flatMap(launchReady(plan), Ref.make),
      (ref) => Effect.flatMap(Ref.get(ref), (running) => end(plan, running))
    )
    const now = Ref.get(current)
    return {
      pid: Effect.map(now, (running) => running.pid),
      freeze: Effect.flatMap(now, (running) => freeze(plan, running)),
      thaw: Effect.map(now, (running) => running.signal("SIGCONT")),
      kill: Effect.flatMap(now, (running) => end(plan, running)),
      restart: Effect.uninterruptible(
        Effect.gen(function*() {
          yield* end(plan, yield* now)
          yield* Ref.set(current, yield* launchReady(plan))
        })
      )
    }
  })
