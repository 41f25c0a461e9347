import { singleFlight } from "@lectern/adapters/postgres"
import { EncodeLeftovers, Sweeper } from "@lectern/domain"
import { Console, Effect, Option } from "effect"
import { exitCodes, fail } from "../CommandFailed.ts"
import { withLogs } from "../logs.ts"
import { quote } from "./causeChain.ts"
import { databaseAway, encodeJson, environment } from "./deployment.ts"
import { operatorLayer } from "./OperatorSystem.ts"
import { reconcile, type ReconcileReport } from "./reconcile.ts"
import { type DrillReport, redisFlushDrill } from "./redisFlushDrill.ts"

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
    `Reconciled ${report.asked} encodes: ${report.running} run, ${report.waiting} wait, `
    + `${report.missing} are not found yet for sure; ${report.ended} had lost their run; `
    + `${report.terminated} superseded runs were ended`,
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
