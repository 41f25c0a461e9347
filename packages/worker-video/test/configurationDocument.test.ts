import { undocumentedVariables } from "@lectern/harness"
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { readWorkerSettings } from "../src/WorkerSettings.ts"

it("docs/configuration.md has every variable that an encode asks for", async () => {
  const read = (variables: Readonly<Record<string, string | undefined>>) =>
    Effect.runSyncExit(readWorkerSettings(variables, true))
  assert.deepStrictEqual(await undocumentedVariables(read), [])
})
