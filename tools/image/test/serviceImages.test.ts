import { assert, describe, it } from "@effect/vitest"
import { freePort } from "@lectern/harness"
import { Effect, Schedule } from "effect"
import { productImages } from "../src/ProductImage.ts"
import { askEngine } from "../src/Engine.ts"
import { engine, runContainer } from "./Container.ts"
import { makeWorld } from "./World.ts"

const { ai, origin } = productImages

describe("the origin's image", () => {
  it.live("answers for itself and for its services, and ends when it is told to", () =>
    Effect.gen(function*() {
      const world = yield* makeWorld
      const port = yield* freePort
      const container = yield* runContainer({
        image: origin.tag,
        env: {
          ...world.services,
          ...(yield* world.queues),
          PORT: String(port),
          HOST: "127.0.0.1",
          PUBLIC_URL: "https://api.example",
          AUTH_JWT_SECRET: "a-secret-of-more-than-thirty-two-characters"
        }
      })
      yield* container.said(/The origin listens/)
      const statusOf = (path: string) =>
        Effect.promise(async () => (await fetch(`http://127.0.0.1:${port}${path}`)).status)
      assert.strictEqual(yield* statusOf("/healthz"), 200)
      assert.strictEqual(yield* statusOf("/readyz"), 200)
      assert.strictEqual(yield* statusOf("/api/v1/media/videos/"), 401)
      assert.strictEqual(yield* statusOf("/api/v1/media/videos/1/progress/"), 401)
      // Docker runs the image's health check by itself; Podman only where there is a systemd, or when it is asked to.
      const ask = (...args: ReadonlyArray<string>) => Effect.sync(() => askEngine(engine, [...args, container.name]))
      const health = engine.kind === "podman"
        ? yield* ask("healthcheck", "run")
        : yield* ask("inspect", "--format", "{{.State.Health.Status}}").pipe(
          Effect.repeat({ until: (status) => status === "healthy", schedule: Schedule.spaced("100 millis") })
        )
      assert.isDefined(health)
      yield* container.stop(30)
      assert.strictEqual(yield* container.exitCode, 0, container.output())
    }))

  it.live("says all that it wants when it is run with nothing", () =>
    Effect.gen(function*() {
      const container = yield* runContainer({ image: origin.tag })
      assert.strictEqual(yield* container.exitCode, 78, container.output())
      const needed = ["DATABASE_URL", "REDIS_URL", "S3_ENDPOINT", "SQS_QUEUE_URL_LITE", "AUTH_JWT_SECRET", "PUBLIC_URL"]
      for (const name of needed) assert.include(container.output(), name)
    }))
})

/** A provider that is never called here. */
const messages = {
  SOLAPI_API_KEY: "key",
  SOLAPI_API_SECRET: "secret",
  SOLAPI_SENDER: "0212345678",
  SMTP_URL: "smtp://127.0.0.1:25",
  SMTP_SENDER: "school@example.com"
}

describe("the image of the queues' worker", () => {
  it.live("is one of production: it sends no messages into a sandbox", () =>
    Effect.gen(function*() {
      const world = yield* makeWorld
      const container = yield* runContainer({ image: ai.tag, env: { ...world.services, ...(yield* world.queues) } })
      assert.strictEqual(yield* container.exitCode, 78, container.output())
      assert.match(container.output(), /sandbox in production/)
    }))

  it.live("starts on its services and ends with 143 when it is told to", () =>
    Effect.gen(function*() {
      const world = yield* makeWorld
      const container = yield* runContainer({
        image: ai.tag,
        env: { ...world.services, ...(yield* world.queues), ...messages }
      })
      yield* container.said(/The worker has started/)
      yield* container.stop(30)
      assert.strictEqual(yield* container.exitCode, 143, container.output())
    }))

  it.live("says all that it wants when it is run with nothing", () =>
    Effect.gen(function*() {
      const container = yield* runContainer({ image: ai.tag })
      assert.strictEqual(yield* container.exitCode, 78, container.output())
      for (const name of ["DATABASE_URL", "REDIS_URL", "S3_ENDPOINT", "SQS_QUEUE_URL_LITE"]) {
        assert.include(container.output(), name)
      }
    }))
})

describe("the image of the operators' commands", () => {
  it.live("is `lectern`", () =>
    Effect.gen(function*() {
      const container = yield* runContainer({ image: productImages.ops.tag, command: ["ops", "--help"] })
      assert.strictEqual(yield* container.exitCode, 0, container.output())
      for (const command of ["sweep", "reconcile"]) assert.include(container.output(), command)
    }))
})
