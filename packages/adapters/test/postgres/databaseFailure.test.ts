import { assert, it } from "@effect/vitest"
import { Effect, Fiber, Ref } from "effect"
import { SqlError } from "effect/sql/SqlError"
import { TestClock } from "effect/testing"
import { isRetryable, retryCollisions } from "../../src/postgres/databaseFailure.ts"
import { sqlErrorReason } from "../../src/postgres/sqlErrorReason.ts"

/** An error as a driver rejects with it. */
const driverError = (code?: string): SqlError =>
  new SqlError({ reason: sqlErrorReason(Object.assign(new Error(`code ${code}`), code === undefined ? {} : { code })) })

it("calls retryable what time may mend, and nothing else", () => {
  const mended = [undefined, "ECONNRESET", "EPIPE", "08006", "40001", "40P01", "53300", "55P03", "57014", "57P01", "57P03", "25P03", "25006"]
  const final = ["22P05", "23505", "23514", "28P01", "3D000", "42601", "42501", "42P01", "XX000"]
  for (const code of mended) assert.isTrue(isRetryable(driverError(code)), String(code))
  for (const code of final) assert.isFalse(isRetryable(driverError(code)), code)
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
