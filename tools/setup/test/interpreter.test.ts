import { assert, describe, it } from "@effect/vitest"
import { interpreterMissing, runsSources } from "../src/interpreter.mjs"

describe("the interpreter check", () => {
  it("takes Node 24 and what comes after it", () => {
    assert.deepStrictEqual(
      ["v24.0.0", "v26.1.0", "v20.20.2", "v8.0.0", ""].map(runsSources),
      [true, true, false, false, false]
    )
  })

  it("names the command that repairs an installation whose scripts were ignored", () => {
    assert.include(interpreterMissing("v20.20.2"), "npm rebuild node --ignore-scripts=false")
  })
})
