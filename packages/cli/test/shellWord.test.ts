import { assert, describe, it } from "@effect/vitest"
import { execFileSync } from "node:child_process"
import { shellWord } from "../src/shellWord.ts"

describe("shellWord", () => {
  it("leaves a plain path as it is", () => {
    assert.strictEqual(shellWord(".lectern/demo-1"), ".lectern/demo-1")
  })

  it.each(["우리 반", "it's", "$HOME `id` \"x\" \\", "a\nb", ""])("makes one word of %j, as a shell reads it", (text) => {
    assert.strictEqual(execFileSync("sh", ["-c", `printf %s. ${shellWord(text)}`], { encoding: "utf8" }), `${text}.`)
  })
})
