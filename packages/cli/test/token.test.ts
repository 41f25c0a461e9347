import { assert, describe, it } from "@effect/vitest"
import { makeTokenVerifier, TokenRefused } from "@lectern/api/tokens"
import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { lectern, ownFolder } from "./lecternProgram.ts"

const secret = "a secret of the tests, long enough"

const principalOf = async (token: string, withSecret: string) => {
  const verdict = await makeTokenVerifier({ secrets: [withSecret] })({ authorization: `Bearer ${token}`, tenantCode: null })
  if (verdict instanceof TokenRefused) throw verdict
  return verdict
}

describe("lectern token", () => {
  it("prints a token that the API accepts, and nothing else", async () => {
    const { code, stderr, stdout } = await lectern(["token", "--tenant", "7", "--subject", "teacher", "--hours", "1"], {
      env: { AUTH_JWT_SECRET: secret }
    })
    assert.strictEqual(code, 0)
    assert.strictEqual(stderr, "")
    assert.match(stdout, /^[\w-]+\.[\w-]+\.[\w-]+\n$/)
    const principal = await principalOf(stdout.trim(), secret)
    assert.strictEqual(principal.tenantId, 7)
    assert.strictEqual(principal.subject, "teacher")
  })

  it("signs with the data directory's own secret where the environment has none", async () => {
    const data = await ownFolder()
    const made = "0123456789abcdef".repeat(4)
    await writeFile(join(data, "token-secret"), made)
    const { code, stdout } = await lectern(["token", "--tenant", "1", "--data", data])
    assert.strictEqual(code, 0)
    assert.strictEqual((await principalOf(stdout.trim(), made)).tenantId, 1)
  })

  it("says how to come by a secret where there is none", async () => {
    const { code, stderr, stdout } = await lectern(["token", "--tenant", "1", "--data", await ownFolder()])
    assert.strictEqual(code, 78)
    assert.strictEqual(stdout, "")
    assert.include(stderr, "set AUTH_JWT_SECRET")
  })

  it("refuses a secret that is too short, whatever else the environment holds, and does not show it", async () => {
    const { code, stderr, stdout } = await lectern(["token", "--tenant", "1"], {
      env: { AUTH_JWT_SECRET: "geheim", PORT: "not for a token" }
    })
    assert.strictEqual(code, 78)
    assert.strictEqual(stdout, "")
    assert.include(stderr, "AUTH_JWT_SECRET")
    assert.notInclude(stderr, "PORT")
    assert.notInclude(stderr, "geheim")
  })
})
