import { Clock, Console, Effect } from "effect"
import { CommandFailed } from "../CommandFailed.ts"
import type { Checked, CheckOutcome } from "./CheckOutcome.ts"
import { checkJson, checkReport, passedCount } from "./checkReport.ts"
import type { Language, Words } from "./Words.ts"

/** A check that has not been run. It cannot fail: what goes wrong is its outcome. */
export interface Check<R = never> {
  readonly id: string
  readonly title: Words
  readonly run: Effect.Effect<CheckOutcome, never, R>
}

/** All of them at once, in their order. */
export const runChecks = <R>(checks: ReadonlyArray<Check<R>>): Effect.Effect<ReadonlyArray<Checked>, never, R> =>
  Effect.forEach(checks, ({ id, run, title }) =>
    Effect.gen(function*() {
      const startedAt = yield* Clock.currentTimeMillis
      const outcome = yield* run
      return { id, title, outcome, millis: (yield* Clock.currentTimeMillis) - startedAt }
    }), { concurrency: "unbounded" })

/** Exit code of a check that has not passed, as scripts of deployments expect it. */
const notPassed = 1

/** Prints what came of the checks on standard output, and ends the command with 1 unless all have passed. */
export const reportChecks = Effect.fnUntraced(function*(
  checks: ReadonlyArray<Checked>,
  options: { readonly json: boolean; readonly language: Language }
) {
  yield* Console.log(options.json ? checkJson(checks) : checkReport(checks, options.language))
  if (passedCount(checks) < checks.length) return yield* new CommandFailed({ exitCode: notPassed })
})
