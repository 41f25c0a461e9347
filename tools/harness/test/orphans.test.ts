import { assert, it } from "@effect/vitest"
import { Effect, Schedule, Schema } from "effect"
import { spawn } from "node:child_process"
import { existsSync } from "node:fs"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import { describeIf, RedisServer } from "../src/index.ts"
import { closed, dial } from "./tcp.ts"

const Started = Schema.fromJsonString(
  Schema.Struct({ redis: Schema.Int, postgres: Schema.NullOr(Schema.Int), folder: Schema.String })
)

describeIf(RedisServer.availability, "servers of a test process that is killed", () => {
  it.live("end with it, and so do their folders", () =>
    Effect.gen(function*() {
      const owner = yield* Effect.acquireRelease(
        Effect.sync(() =>
          spawn(process.execPath, [fileURLToPath(new URL("fixtures/owner.ts", import.meta.url))], {
            stdio: ["ignore", "pipe", "inherit"]
          })
        ),
        (child) => Effect.sync(() => child.kill("SIGKILL"))
      )
      const line = yield* Effect.callback<string>((resume) => {
        createInterface({ input: owner.stdout }).once("line", (line) => resume(Effect.succeed(line)))
      })
      const started = yield* Schema.decodeUnknownEffect(Started)(line)
      const redis = yield* dial(started.redis)
      const postgres = started.postgres === null ? undefined : yield* dial(started.postgres)
      assert.isTrue(existsSync(started.folder))
      owner.kill("SIGKILL")
      yield* closed(redis)
      if (postgres !== undefined) yield* closed(postgres)
      yield* Effect.sync(() => existsSync(started.folder)).pipe(
        Effect.repeat({ while: (exists) => exists, schedule: Schedule.spaced("10 millis") })
      )
    }))
})
