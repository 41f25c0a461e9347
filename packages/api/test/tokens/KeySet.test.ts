import { exportJWK, generateKeyPair, SignJWT } from "jose"
import { describe, expect, it } from "vitest"
import { cooldownMillis, failedCooldownMillis, keepMillis, refreshMillis } from "../../src/tokens/KeySet.ts"
import { makeKeySet, makeTokenVerifier, TokenRefused } from "../../src/tokens/index.ts"

const url = "https://login.school/keys"
const pair = () => generateKeyPair("EdDSA", { crv: "Ed25519", extractable: true })
const [first, second] = await Promise.all([pair(), pair()])
const [firstKey, secondKey] = await Promise.all([first, second].map(async ({ publicKey }) => exportJWK(publicKey)))

const one = { ...firstKey, kid: "one" }
const two = { ...secondKey, kid: "two" }
const holding = (...keys: ReadonlyArray<unknown>) => Response.json({ keys })

const setOver = (answer: () => Response | Promise<Response>) => {
  let clock = 1_800_000_000_000
  let current = answer
  let calls = 0
  const faults: Array<unknown> = []
  const keySet = makeKeySet({
    url,
    now: () => clock,
    onFault: (cause) => faults.push(cause),
    fetch: async () => {
      calls += 1
      return current()
    }
  })
  return {
    keySet,
    faults,
    calls: () => calls,
    pass: (millis: number) => clock += millis,
    now: () => clock,
    answer: (next: () => Response | Promise<Response>) => current = next
  }
}

describe("The keys of an address", () => {
  it("are read once for all who ask, and kept", async () => {
    const { calls, keySet } = setOver(() => holding(one, two))
    const found = await Promise.all([keySet.find("one"), keySet.find("two"), keySet.find("one")])
    expect(found.map((key) => key?.x)).toEqual([one.x, two.x, one.x])
    await keySet.find("two")
    expect(calls()).toBe(1)
  })

  it("are not there for a name that is unknown, which makes the address asked twice a minute at the most", async () => {
    const { answer, calls, keySet, pass } = setOver(() => holding(one))
    for (let n = 0; n < 50; n++) expect(await keySet.find(`unknown ${n}`)).toBeNull()
    expect(calls()).toBe(1)
    answer(() => holding(one, two))
    expect(await keySet.find("two")).toBeNull()
    pass(cooldownMillis)
    expect((await keySet.find("two"))?.x).toBe(two.x)
    expect(calls()).toBe(2)
  })

  it("are read again in time without anybody waiting, and what is no longer there is gone", async () => {
    const { answer, calls, keySet, pass } = setOver(() => holding(one, two))
    await keySet.find("one")
    answer(() => holding(two))
    pass(refreshMillis)
    expect((await keySet.find("one"))?.x).toBe(one.x)
    await new Promise(setImmediate)
    expect([await keySet.find("one"), calls()]).toEqual([null, 2])
  })

  it("are good for an hour while their address is away, and not longer", async () => {
    const { answer, faults, keySet, pass } = setOver(() => holding(one))
    await keySet.find("one")
    answer(() => Promise.reject(new Error("away")))
    pass(keepMillis - 1)
    expect((await keySet.find("one"))?.x).toBe(one.x)
    await new Promise(setImmediate)
    expect(faults).toEqual([new Error("away")])
    pass(1)
    expect(await keySet.find("one")).toBeNull()
  })

  it("are asked for again soon where they could not be read", async () => {
    const { answer, calls, keySet, pass } = setOver(() => new Response(null, { status: 503 }))
    expect([await keySet.find("one"), await keySet.find("one"), calls()]).toEqual([null, null, 1])
    answer(() => holding(one))
    pass(failedCooldownMillis)
    expect((await keySet.find("one"))?.x).toBe(one.x)
  })

  for (
    const [what, answer] of [
      ["is no JSON", () => new Response("<html>")],
      ["is null", () => Response.json(null)],
      ["has no keys", () => Response.json({ keys: {} })],
      ["is longer than any set", () => new Response(JSON.stringify({ keys: [one], more: "x".repeat(70_000) }))],
      ["has its key beyond the first 32", () => holding(...Array.from({ length: 32 }, () => ({ kty: "RSA" })), one)],
      ["has a key for another use", () => holding({ ...one, use: "enc" })],
      ["has a key of another kind", () => holding({ ...one, kty: "EC" }, { ...one, crv: "X25519" }, { ...one, x: "AAAA" }, null, 7)],
      ["has a secret, which anybody could read there", () => holding({ kty: "oct", k: one.x, kid: "one" })],
      ["is a fault of the server", () => new Response(JSON.stringify({ keys: [one] }), { status: 500 })]
    ] as const
  ) {
    it(`are none where the answer ${what}`, async () => {
      expect(await setOver(answer).keySet.find("one")).toBeNull()
    })
  }
})

describe("A token by a key of an address", () => {
  const sign = (key: CryptoKey, header: { readonly kid?: string }) =>
    new SignJWT({ tenant_id: 7, exp: 2_000_000_000 }).setProtectedHeader({ alg: "EdDSA", ...header }).sign(key)

  it("is accepted by the key of its name, and by no other", async () => {
    const { keySet, now } = setOver(() => holding(one, two))
    const verify = makeTokenVerifier({ keySet, now })
    const codeOf = async (token: string) => {
      const verdict = await verify({ authorization: `Bearer ${token}`, tenantCode: null })
      return verdict instanceof TokenRefused ? verdict.code : verdict.tenantId
    }
    expect(await codeOf(await sign(first.privateKey, { kid: "one" }))).toBe(7)
    for (const header of [{ kid: "two" }, { kid: "three" }, { kid: "" }, { kid: "x".repeat(201) }, {}]) {
      expect(await codeOf(await sign(first.privateKey, header))).toBe("token_invalid")
    }
  })

  it("is verified again after five minutes, and refused once its key was taken away", async () => {
    const { answer, keySet, now, pass } = setOver(() => holding(one))
    const verify = makeTokenVerifier({ keySet, now })
    const sent = { authorization: `Bearer ${await sign(first.privateKey, { kid: "one" })}`, tenantCode: null }
    expect(await verify(sent)).toMatchObject({ tenantId: 7 })
    answer(() => holding(two))
    expect(verify(sent)).toMatchObject({ tenantId: 7 })
    pass(refreshMillis)
    await keySet.find("one")
    await new Promise(setImmediate)
    expect(await verify(sent)).toMatchObject({ code: "token_invalid" })
  })
})
