import { singleFlight } from "@lectern/adapters/postgres"
import { EncodeLeftovers, Sweeper } from "@lectern/domain"
import { Console, Effect, Option, Schema } from "effect"
import process from "node:process"
import { CommandFailed, exitCodes, fail } from "../CommandFailed.ts"
import { badConfiguration, withLogs } from "../logs.ts"
import { explainDatabase } from "./databaseCheck.ts"
import { type DeadEnd, listDeadEnds, redrive, type Redriven } from "./deadLetters.ts"
import { deadLetterQueues, operatorLayer, readOperatorEnvironment } from "./OperatorSystem.ts"
import { quote } from "./causeChain.ts"
import { reconcile, type ReconcileReport } from "./reconcile.ts"
import { type DrillReport, redisFlushDrill } from "./redisFlushDrill.ts"

/** How a command ends that a row refused. */
const refused = 1

const encodeJson = Schema.encodeSync(Schema.fromJsonString(Schema.Json))

const needsDatabase = fail(
  exitCodes.configuration,
  "DATABASE_URL is not set: operators' commands work on a deployment; a system of `lectern up` sweeps by itself"
)

/** What the commands of a deployment share: its services, and how it is said that the database is away. */
const environment = Effect.gen(function*() {
  const services = yield* readOperatorEnvironment(process.env).pipe(Effect.catchTag("BadConfiguration", badConfiguration))
  const { DATABASE_URL } = services
  return DATABASE_URL === undefined ? yield* needsDatabase : { services, databaseUrl: DATABASE_URL }
})

const databaseAway = (url: string) => (error: { readonly _tag: string }): Effect.Effect<never, CommandFailed> => {
  const outcome = explainDatabase(error, url)
  return fail(exitCodes.unavailable, outcome._tag === "Fail" ? `${outcome.cause.en}; next: ${outcome.next.en}` : error._tag)
}

const indented = (title: string, lines: ReadonlyArray<string>): ReadonlyArray<string> =>
  lines.length === 0 ? [] : [title, ...lines.map((line) => `  - ${line}`)]

/** One sweep. What it could not do now is no failure of the command: the next one tries again, and says so. */
export const sweepOnce = Effect.fn(function*({ json }: { readonly json: boolean }) {
  const { databaseUrl, services } = yield* environment
  const { cleared, report } = yield* Effect.gen(function*() {
    const report = yield* Effect.flatMap(Sweeper, (sweeper) => sweeper.sweep)
    return { report, cleared: yield* Effect.flatMap(EncodeLeftovers, (leftovers) => leftovers.clear) }
  }).pipe(
    Effect.provide(operatorLayer(services, databaseUrl)),
    Effect.catch(databaseAway(databaseUrl))
  )
  yield* Console.log(json ? encodeJson({ ...report, cleared: { ...cleared } }) : [
    `Swept: ${report.expired} leases had ended, ${report.reaped} encodes had lost their run, `
    + `${report.dispatched} jobs were handed over, ${report.deleted} deletions were finished; `
    + `${cleared.objects} objects of ${cleared.encodes} encodes were cleared away`,
    ...indented("Not done now:", [...report.failures, ...cleared.failures])
  ].join("\n"))
}, withLogs)

const reconcileText = (report: ReconcileReport): string =>
  [
    `Reconciled ${report.asked} encodes: ${report.running} run, ${report.waiting} wait, ${report.missing} are not found yet for sure; `
    + `${report.ended} had lost their run`,
    ...indented("To look at:", report.notes),
    ...indented("Not done now:", report.failures)
  ].join("\n")

/** The database against the encode runtime, once, and by one process at a time. */
export const reconcileOnce = Effect.fn(function*({ json }: { readonly json: boolean }) {
  const { databaseUrl, services } = yield* environment
  const report = yield* singleFlight("reconcile", reconcile).pipe(
    Effect.provide(operatorLayer(services, databaseUrl)),
    Effect.catchTag("EncodeRuntimeUnavailable", (error) =>
      fail(
        exitCodes.unavailable,
        `Nothing was changed, because Batch did not answer: ${error.message} (${quote(error.cause, [])}); `
        + `next: check batch:DescribeJobs of the role and run again`
      )),
    Effect.catchIf((error) => error._tag !== "CommandFailed", databaseAway(databaseUrl))
  )
  yield* Option.match(report, {
    onNone: () => Console.log(json ? encodeJson({ busy: true }) : "Another reconciliation is under way; nothing was done"),
    onSome: (done) => Console.log(json ? encodeJson({ busy: false, ...done }) : reconcileText(done))
  })
}, withLogs)

const drillText = (report: DrillReport): string =>
  [
    `Removed ${report.removed} keys of the progress mirror and published ${report.published} of ${report.looked} records again`,
    `The keys were gone for ${report.goneMillis} ms at most; ${report.back} of ${report.removed} are back, `
    + `the rest belong to what ended long ago`
  ].join("\n")

/** Removes the mirror's keys and rebuilds the live ones. */
export const drillRedisFlush = Effect.fn(function*({ json, yes }: { readonly json: boolean; readonly yes: boolean }) {
  const { databaseUrl, services } = yield* environment
  if (services.REDIS_URL === undefined) return yield* fail(exitCodes.configuration, "REDIS_URL is not set: there is no mirror to drill with")
  if (!yes) {
    return yield* fail(
      exitCodes.badInput,
      "This removes the progress of every running job from Redis and rebuilds it from the database; "
      + "pollers may see UNKNOWN meanwhile. Say --yes to do it"
    )
  }
  const report = yield* redisFlushDrill.pipe(
    Effect.provide(operatorLayer(services, databaseUrl)),
    Effect.catchTag("MirrorUnavailable", (error) =>
      fail(exitCodes.unavailable, `${error.message} (${quote(error.cause, [services.REDIS_URL ?? ""])}); next: run \`lectern readiness\``)),
    Effect.catchIf((error) => error._tag !== "CommandFailed", databaseAway(databaseUrl))
  )
  yield* Console.log(json ? encodeJson({ ...report }) : drillText(report))
  if (report.published < report.looked) {
    return yield* fail(exitCodes.unavailable, `${report.looked - report.published} records were not published; the next repair tries again`)
  }
}, withLogs)

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
        (error) => fail(exitCodes.unavailable, `The dead letters cannot be reached (${quote(error, [])}); next: run \`lectern readiness\``)
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
  if (all === jobs.length > 0) return yield* fail(exitCodes.badInput, "Cannot redrive without one of the two: JOB... or --all")
  const done = yield* withDeadLetters((queues) => redrive(queues, { dryRun, jobIds: all ? null : new Set(jobs) }))
  yield* Console.log(
    json
      ? encodeJson({ dryRun, redriven: done.map((it) => ({ ...it })) })
      : [...(dryRun ? ["Nothing is done (--dry-run):"] : []), ...(done.length === 0 ? ["No dead letters"] : done.map(redrivenText))].join("\n")
  )
  if (done.some(({ outcome }) => outcome === "Refused")) return yield* new CommandFailed({ exitCode: refused })
}, withLogs)
