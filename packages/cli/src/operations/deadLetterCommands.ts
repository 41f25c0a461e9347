import { Console, Effect, Option } from "effect"
import { CommandFailed, exitCodes, fail } from "../CommandFailed.ts"
import { withLogs } from "../logs.ts"
import { quote } from "./causeChain.ts"
import { type DeadEnd, listDeadEnds, redrive, type Redriven } from "./deadLetters.ts"
import { databaseAway, encodeJson, environment } from "./deployment.ts"
import { deadLetterQueues, operatorLayer } from "./OperatorSystem.ts"

/** How a command ends that a row refused. */
const refused = 1

const deadEndText = ({ jobId, jobKind, kind, reason, since, state, tenantId }: DeadEnd): string =>
  [
    jobId === null ? "A message that is none of ours" : `${kind === "job" ? "Job" : "Message of job"} ${jobId}`,
    ...(tenantId === null ? [] : [`tenant ${tenantId}`]),
    ...(jobKind === null ? [] : [jobKind]),
    ...(state === null ? [] : [state]),
    ...(since === null ? [] : [since]),
    ...(reason === null ? [] : [reason])
  ].join(", ")

/** What the commands on dead letters share: the database and the queues' refusals, each said as what it is. */
const withDeadLetters = <A, E extends { readonly _tag: string }, R>(
  work: (queues: ReturnType<typeof deadLetterQueues>) => Effect.Effect<A, E, R>
) =>
  Effect.gen(function*() {
    const { databaseUrl, services } = yield* environment
    return yield* work(deadLetterQueues(services)).pipe(
      Effect.provide(operatorLayer(services, databaseUrl)),
      Effect.catchIf(
        (error) => error._tag === "QueueUnavailable",
        (error) =>
          fail(
            exitCodes.unavailable,
            `The dead letters cannot be reached (${quote(error, [])}); next: run \`lectern readiness\``
          )
      ),
      Effect.catchIf((error) => error._tag !== "CommandFailed", databaseAway(databaseUrl))
    )
  })

/** Everything that was given up or put aside, or what there is about one job; changes nothing. */
export const showDeadLetters = Effect.fn(function*(
  { job, json }: { readonly job: Option.Option<string>; readonly json: boolean }
) {
  const all = yield* withDeadLetters(listDeadEnds)
  const found = Option.match(job, { onNone: () => all, onSome: (id) => all.filter(({ jobId }) => jobId === id) })
  const isWhole = Option.isSome(job)
  yield* Console.log(
    json
      ? encodeJson({ deadLetters: found.map((it) => ({ ...it })) })
      : found.length === 0
      ? "No dead letters"
      : found.flatMap((it) => [deadEndText(it), ...(isWhole && it.body !== null ? [`  ${it.body}`] : [])]).join("\n")
  )
}, withLogs)

const redrivenText = ({ detail, jobId, outcome }: Redriven): string => `${jobId}: ${outcome}: ${detail}`

/** Puts back what was given up or put aside, with its row's consent. */
export const redriveDeadLetters = Effect.fn(function*(
  { all, dryRun, jobs, json }: {
    readonly jobs: ReadonlyArray<string>
    readonly all: boolean
    readonly dryRun: boolean
    readonly json: boolean
  }
) {
  if (all === jobs.length > 0) {
    return yield* fail(exitCodes.badInput, "Cannot redrive without one of the two: JOB... or --all")
  }
  const done = yield* withDeadLetters((queues) => redrive(queues, { dryRun, jobIds: all ? null : new Set(jobs) }))
  yield* Console.log(
    json
      ? encodeJson({ dryRun, redriven: done.map((it) => ({ ...it })) })
      : [
        ...(dryRun ? ["Nothing is done (--dry-run):"] : []),
        ...(done.length === 0 ? ["No dead letters"] : done.map(redrivenText))
      ].join("\n")
  )
  if (done.some(({ outcome }) => outcome === "Refused")) return yield* new CommandFailed({ exitCode: refused })
}, withLogs)
