import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import {
  encodeArray,
  logVariables,
  readEnvironment,
  serverVariables,
  serviceContradictions,
  serviceVariables
} from "../../src/environment/index.ts"

const read = (variables: Record<string, string>) =>
  readEnvironment({ ...serviceVariables, ...serverVariables, ...logVariables }, variables, serviceContradictions)

describe("Environment", () => {
  it.effect("needs nothing", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* read({}), {})
      assert.deepStrictEqual(yield* read({ REDIS_URL: "", PORT: " " }), {})
    }))

  it.effect("names every fault at once", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(read({
        PORT: "70000",
        REDIS_URL: "http://x",
        AUTH_JWT_SECRET: "short",
        LOG_LEVEL: "loud",
        // Wrong in itself, and a contradiction to the lack of the others.
        S3_ENDPOINT: "nowhere"
      }))
      assert.deepStrictEqual(error.faults.map((fault) => fault.split(":")[0]).sort(), [
        "AUTH_JWT_SECRET",
        "LOG_LEVEL",
        "PORT",
        "REDIS_URL",
        "S3_BUCKET, S3_ACCESS_KEY_ID, S3_SECRET_ACCESS_KEY",
        "S3_ENDPOINT"
      ])
    }))

  it.effect("never shows a secret that it refuses", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(read({ AUTH_JWT_SECRET: "hunter2", DATABASE_URL: "mysql://u:pw@h/d" }))
      assert.notInclude(error.message, "hunter2")
      assert.notInclude(error.message, "u:pw")
    }))

  it.effect("refuses half an object store, and Batch without a database that it can reach", () =>
    Effect.gen(function*() {
      const half = yield* Effect.flip(read({ S3_ENDPOINT: "http://127.0.0.1:1", S3_BUCKET: "b" }))
      assert.match(half.message, /S3_ACCESS_KEY_ID, S3_SECRET_ACCESS_KEY: needed together/)
      const batch = yield* Effect.flip(read({ VIDEO_BATCH_JOB_QUEUE: "q" }))
      assert.lengthOf(batch.faults, 2)
    }))

  it.effect("says in how many containers an upload is encoded: one, unless it names the most", () =>
    Effect.gen(function*() {
      const of = (variables: Record<string, string>) => Effect.map(read(variables), encodeArray)
      assert.deepStrictEqual(yield* of({}), { bytesPerContainer: 2e9, mostContainers: 1 })
      assert.deepStrictEqual(yield* of({ VIDEO_BATCH_MAX_CONTAINERS: "8" }), { bytesPerContainer: 2e9, mostContainers: 8 })
      assert.deepStrictEqual(
        yield* of({ VIDEO_BATCH_MAX_CONTAINERS: "8", VIDEO_BATCH_GB_PER_CONTAINER: "0.5" }),
        { bytesPerContainer: 5e8, mostContainers: 8 }
      )
    }))

  it.effect("refuses containers that no array can have, and a size for each where there is to be one", () =>
    Effect.gen(function*() {
      for (
        const variables of [
          { VIDEO_BATCH_MAX_CONTAINERS: "0" },
          { VIDEO_BATCH_MAX_CONTAINERS: "2.5" },
          { VIDEO_BATCH_MAX_CONTAINERS: "10001" },
          { VIDEO_BATCH_MAX_CONTAINERS: "4", VIDEO_BATCH_GB_PER_CONTAINER: "0" },
          { VIDEO_BATCH_MAX_CONTAINERS: "4", VIDEO_BATCH_GB_PER_CONTAINER: "much" }
        ]
      ) {
        assert.lengthOf((yield* Effect.flip(read(variables))).faults, 1, JSON.stringify(variables))
      }
      assert.deepStrictEqual((yield* Effect.flip(read({ VIDEO_BATCH_GB_PER_CONTAINER: "2" }))).faults, [
        "VIDEO_BATCH_MAX_CONTAINERS: needed together with VIDEO_BATCH_GB_PER_CONTAINER"
      ])
    }))
})
