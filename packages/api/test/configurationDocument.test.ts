import { undocumentedVariables } from "@lectern/harness"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { edgeVariables, restVariables } from "../src/edge/edgeVariables.ts"
import { readOriginSettings } from "../src/origin/OriginSettings.ts"

describe("docs/configuration.md", () => {
  it("has every variable that the origin asks for", async () => {
    assert.deepStrictEqual(await undocumentedVariables((variables) => Effect.runSyncExit(readOriginSettings(variables))), [])
  })

  it("has every variable that the edge asks for", async () => {
    const read = (variables: Readonly<Record<string, string | undefined>>) =>
      [...edgeVariables, ...restVariables].map((name) => variables[name])
    assert.deepStrictEqual(await undocumentedVariables(read), [])
  })
})
