import { assert, it } from "@effect/vitest"
import type { JobStoreFault } from "@lectern/domain"
import { Effect, Fiber, Ref } from "effect"
import { SqlError } from "effect/sql/SqlError"
import { TestClock } from "effect/testing"
import { databaseFault, retryCollisions } from "../../src/postgres/databaseFailure.ts"
import { sqlErrorReason } from "../../src/postgres/sqlErrorReason.ts"

/** An error as a driver rejects with it. */
const driverError = (code?: string): SqlError =>
  new SqlError({ reason: sqlErrorReason(Object.assign(new Error(`code ${code}`), code === undefined ? {} : { code })) })

const unspoken = [undefined, "ECONNRESET", "EPIPE"]
const ended = ["08006", "25P03", "57P01", "57P03"]
const passing = ["25006", "28P01", "3D000", "40001", "40P01", "53100", "53300", "55P03", "57014"]

const states: Readonly<Record<JobStoreFault, ReadonlyArray<string | undefined>>> = {
  away: [...unspoken, ...ended, ...passing],
  value: ["22001", "22003", "22021", "22P02", "22P05", "54000", "54001"],
  bug: ["23502", "23503", "23505", "23514", "25P02", "42501", "42601", "42703", "42P01", "XX000"]
}

it("tells what time may mend from a value that no database keeps, and both from a bug", () => {
  for (const [fault, codes] of Object.entries(states)) {
    for (const code of codes) assert.strictEqual(databaseFault(driverError(code)), fault, code)
  }
})

const failing = (code: string, times: number) =>
  Effect.gen(function*() {
    const tries = yield* Ref.make(0)
    const transaction = Effect.flatMap(Ref.updateAndGet(tries, (n) => n + 1), (n) =>
      n <= times ? Effect.fail(driverError(code)) : Effect.succeed(n))
    const fiber = yield* Effect.forkChild(Effect.exit(retryCollisions(transaction)))
    yield* TestClock.adjust("1 minute")
    return { exit: yield* Fiber.join(fiber), tries: yield* Ref.get(tries) }
  })

it.effect("runs a transaction again after a deadlock, three times at most", () =>
  Effect.gen(function*() {
    const mended = yield* failing("40P01", 2)
    assert.isTrue(mended.exit._tag === "Success" && mended.exit.value === 3)
    const hopeless = yield* failing("40001", 100)
    assert.strictEqual(hopeless.exit._tag, "Failure")
    assert.strictEqual(hopeless.tries, 4)
  }))

it.effect("does not run a transaction again whose commit may have come through", () =>
  Effect.gen(function*() {
    assert.strictEqual((yield* failing("08006", 100)).tries, 1)
  }))
