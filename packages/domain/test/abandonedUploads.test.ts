import { abortAbandonedUploads, ObjectStore } from "@lectern/domain"
import { TestDomain } from "@lectern/domain/testing"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import { TestClock } from "effect/testing"

const headers = { contentType: "video/mp4", cacheControl: "private" }

describe("abortAbandonedUploads", () => {
  it.effect("ends what was left lying for longer than that, and nothing younger or of others", () =>
    Effect.gen(function*() {
      const { multipart } = yield* ObjectStore
      yield* multipart.begin("tenants/1/video/raw/old.mp4", headers)
      yield* multipart.begin("backups/old.tar", headers)
      yield* TestClock.adjust("2 days")
      yield* multipart.begin("tenants/1/video/raw/young.mp4", headers)
      yield* TestClock.adjust("1 hour")
      assert.strictEqual(yield* abortAbandonedUploads(24 * 3_600_000), 1)
      assert.strictEqual(yield* abortAbandonedUploads(24 * 3_600_000), 0)
      const left = (yield* Stream.runCollect(multipart.list(""))).map(({ key }) => key)
      assert.deepStrictEqual(left, ["backups/old.tar", "tenants/1/video/raw/young.mp4"])
    }).pipe(Effect.provide(TestDomain.layer)))
})
