import { createHash } from "node:crypto"
import { expect, it } from "vitest"
import { mirrorScript, mirrorScriptSha } from "../../src/redis/mirrorScript.ts"

it("The name of the mirror's script is that of its text", () => {
  expect(mirrorScriptSha).toBe(createHash("sha1").update(mirrorScript).digest("hex"))
})
