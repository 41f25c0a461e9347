import { NodeServices } from "@effect/platform-node"
import { assert, it } from "@effect/vitest"
import { temporaryFolder } from "@lectern/harness"
import { Effect } from "effect"
import { chmod, writeFile } from "node:fs/promises"
import { fileURLToPath } from "node:url"
import { workerCheck, type WorkerCheckOptions } from "../../src/operations/workerCheck.ts"
import { causeOf, passOf } from "./outcomes.ts"

const check = (options: Partial<WorkerCheckOptions>) =>
  workerCheck({ image: null, engine: undefined, path: process.env["PATH"] ?? "", ...options }).pipe(
    Effect.provide(NodeServices.layer)
  )

const write = Effect.fnUntraced(function*(name: string, text: string) {
  const file = `${yield* temporaryFolder("worker")}/${name}`
  yield* Effect.promise(async () => {
    await writeFile(file, text)
    await chmod(file, 0o755)
  })
  return file
})

it.live("The worker starts alone, answers with its configuration error and loads nothing of the API", () =>
  Effect.gen(function*() {
    assert.match(passOf(yield* check({})).detail.en, /\(78\): Node 24.*, [1-9]\d{2,} modules loaded, none of the API's/)
  }))

it.live("A worker that loads a module of the API is named with the module", () =>
  Effect.gen(function*() {
    const api = fileURLToPath(import.meta.resolve("@lectern/api/tokens"))
    const program = yield* write("worker.mjs", `import "${api}"; console.error("VIDEO_JOB_ID"); process.exitCode = 78`)
    assert.match(causeOf(yield* check({ program })), /not its own, .*packages\/api\/src\/tokens/)
  }))

it.live("A worker that breaks, or that is content without configuration, fails each by its own sentence", () =>
  Effect.gen(function*() {
    const content = yield* write("content.mjs", `console.log("fine")`)
    assert.match(causeOf(yield* check({ program: content })), /ended with exit code 0 instead of 78/)
    const broken = yield* write("broken.mjs", `import "./nowhere.mjs"`)
    assert.match(causeOf(yield* check({ program: broken })), /exit code 1 instead of 78/)
    const killed = yield* write("killed.mjs", `process.kill(process.pid, "SIGKILL")`)
    assert.match(causeOf(yield* check({ program: killed })), /ended by a signal/)
  }))

it.live("A missing engine and a missing image are told apart", () =>
  Effect.gen(function*() {
    assert.match(causeOf(yield* check({ image: "worker:1", engine: "no-such-engine" })), /no container engine/)
    const engine = yield* write("engine", "#!/bin/sh\necho 'Error: worker:1: image not known' >&2\nexit 125\n")
    assert.match(causeOf(yield* check({ image: "worker:1", engine })), /image worker:1 is not on this machine/)
  }))

it.live("An image is run without a network, a writable root or a pull, with the same trace", () =>
  Effect.gen(function*() {
    // Stands in for an engine as far as its command line goes: it takes NODE_OPTIONS from there and runs the worker's own program.
    const worker = fileURLToPath(import.meta.resolve("@lectern/worker-video/main"))
    const engine = yield* write("engine", [
      "#!/bin/sh",
      `case "$*" in "run --rm --pull never --network none --read-only "*" worker:1") ;; *) exit 3 ;; esac`,
      `for word in "$@"; do case "$word" in NODE_OPTIONS=*) export "$word" ;; esac; done`,
      `exec "${process.execPath}" "${worker}"`
    ].join("\n"))
    assert.match(passOf(yield* check({ image: "worker:1", engine })).detail.en, /\(78\)/)
  }))
