import { assert, it } from "@effect/vitest"
import { Warden } from "@lectern/harness"
import { Effect, Schema } from "effect"
import { spawn } from "node:child_process"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import { contenders, unheard } from "./edgeRuntime.ts"

const Ports = Schema.fromJsonString(Schema.Array(Schema.Int))

it.live("The edges of a test process that is killed end with it, on every runtime", () =>
  Effect.gen(function*() {
    const owner = yield* Effect.acquireRelease(
      Effect.sync(() =>
        Warden.held(spawn(process.execPath, [fileURLToPath(new URL("fixtures/owner.ts", import.meta.url))], {
          stdio: ["ignore", "pipe", "inherit"]
        }))
      ),
      (child) => Effect.sync(() => child.kill("SIGKILL"))
    )
    const line = yield* Effect.callback<string>((resume) => {
      createInterface({ input: owner.stdout }).once("line", (line) => resume(Effect.succeed(line)))
    })
    const ports = yield* Schema.decodeUnknownEffect(Ports)(line)
    assert.strictEqual(ports.length, contenders.length + 1)
    for (const port of ports) {
      const { status } = yield* Effect.promise(() => fetch(`http://127.0.0.1:${port}/healthz`))
      assert.strictEqual(status, 200)
    }
    owner.kill("SIGKILL")
    for (const port of ports) yield* unheard(port)
  }))
