import { assert, describe, it } from "@effect/vitest"
import { Faults, type FaultyPort } from "@lectern/domain/testing"
import { Effect } from "effect"
import { layer, OriginUnderTest } from "./OriginUnderTest.ts"

const withOrigin = <A, E, R>(effect: Effect.Effect<A, E, R>) => effect.pipe(Effect.provide(layer()))

describe("GET /healthz", () => {
  it.live("answers without a token, and touches nothing", () =>
    withOrigin(Effect.gen(function*() {
      const { call } = yield* OriginUnderTest
      const faults = yield* Faults
      const answer = yield* call("/healthz", { tenant: null })
      assert.deepStrictEqual([answer.status, answer.json], [200, { status: "ok" }])
      assert.deepStrictEqual(yield* faults.calls, [])
    })))
})

describe("GET /readyz", () => {
  it.live("is ready when every part answers, each of which it has asked", () =>
    withOrigin(Effect.gen(function*() {
      const { call } = yield* OriginUnderTest
      const faults = yield* Faults
      const answer = yield* call("/readyz", { tenant: null })
      assert.strictEqual(answer.status, 200)
      assert.deepStrictEqual(answer.json, {
        status: "ready",
        parts: {
          database: { status: "ok", required: true },
          objects: { status: "ok", required: true },
          queue: { status: "ok", required: true },
          mirror: { status: "ok", required: false }
        }
      })
      assert.deepStrictEqual(
        (yield* faults.calls).map((call) => call.method).toSorted(),
        ["JobQueue.ping", "JobStore.ping", "ObjectStore.ping", "ProgressMirror.ping"]
      )
    })))

  const required: ReadonlyArray<readonly [FaultyPort, string]> = [
    ["store", "database"],
    ["objects", "objects"],
    ["queue", "queue"]
  ]
  for (const [port, part] of required) {
    for (const fault of ["refused", "hang"] as const) {
      it.live(`is 503 when the ${part} answers "${fault}", and names it without its cause`, () =>
        withOrigin(Effect.gen(function*() {
          const { call } = yield* OriginUnderTest
          const faults = yield* Faults
          yield* faults.script(port, [fault])
          const answer = yield* call("/readyz", { tenant: null })
          assert.deepStrictEqual([answer.status, answer.json.status], [503, "unavailable"])
          assert.deepStrictEqual(answer.json.parts[part], { status: "unavailable", required: true })
          for (const other of ["database", "objects", "queue", "mirror"].filter((name) => name !== part)) {
            assert.strictEqual(answer.json.parts[other].status, "ok")
          }
          assert.notInclude(answer.text, "Cannot")
        })))
    }
  }

  for (const fault of ["refused", "hang"] as const) {
    it.live(`is degraded and ready when the mirror answers "${fault}"`, () =>
      withOrigin(Effect.gen(function*() {
        const { call } = yield* OriginUnderTest
        const faults = yield* Faults
        yield* faults.mirror([fault])
        const answer = yield* call("/readyz", { tenant: null })
        assert.deepStrictEqual([answer.status, answer.json.status], [200, "degraded"])
        assert.deepStrictEqual(answer.json.parts.mirror, { status: "unavailable", required: false })
      })))
  }
})
