import { JobId, jobSubject, VideoId, videoSubject } from "@lectern/domain"
import { base64url, SignJWT } from "jose"
import { describe, expect, it } from "vitest"
import {
  type Credentials,
  makeTokenVerifier,
  maxAuthorizationChars,
  minSecretBytes,
  signToken,
  signWatchToken,
  TokenRefused,
  type TokenVerifierOptions
} from "../../src/tokens/index.ts"

const secret = "a secret of more than thirty-two bytes"
const another = "another secret of more than thirty-two bytes"
const now = 1_800_000_000_000

const verifier = (options: Partial<TokenVerifierOptions> = {}) =>
  makeTokenVerifier({ secrets: [secret], now: () => now, ...options })

const sent = (token: string, tenantCode: string | null = null): Credentials => ({ authorization: `Bearer ${token}`, tenantCode })
const sign = (fields: Partial<Parameters<typeof signToken>[0]> = {}) =>
  signToken({ tenantId: 7, secret, expiresInSeconds: 60, now, ...fields })
const signClaims = (claims: Record<string, unknown>, alg = "HS256") =>
  new SignJWT(claims).setProtectedHeader({ alg }).sign(new TextEncoder().encode(secret + secret))

const verdictOn = async (credentials: Credentials, options: Partial<TokenVerifierOptions> = {}) => {
  const verdict = await verifier(options)(credentials)
  return verdict instanceof TokenRefused ? `${verdict.status} ${verdict.code}` : verdict
}
const long = { secrets: [secret + secret] }
const expiresAt = now / 1000 + 60

describe("A token", () => {
  it("names the tenant, the subject and its end", async () => {
    expect(await verdictOn(sent(await sign({ subject: "teacher-1" })))).toEqual({
      tenantId: 7,
      subject: "teacher-1",
      tenantCode: null,
      expiresAt
    })
  })

  it("may name its tenant as text, as older issuers do", async () => {
    expect(await verdictOn(sent(await signClaims({ tenant_id: "7", exp: expiresAt })), long)).toMatchObject({ tenantId: 7 })
  })

  for (const tenant_id of [0, -1, 1.5, 2 ** 53, "", "07", "-7", "7 ", "٧", "seven", null, true, undefined, [7]]) {
    it(`is refused for a tenant that is none: ${JSON.stringify(tenant_id)}`, async () => {
      expect(await verdictOn(sent(await signClaims({ tenant_id, exp: expiresAt })), long)).toBe("401 token_invalid")
    })
  }

  it("is refused without an end", async () => {
    expect(await verdictOn(sent(await signClaims({ tenant_id: 7 })), long)).toBe("401 token_invalid")
  })

  it("is refused before its beginning and from its end on", async () => {
    expect(await verdictOn(sent(await signClaims({ tenant_id: 7, exp: expiresAt, nbf: expiresAt - 1 })), long))
      .toBe("401 token_invalid")
    expect(await verdictOn(sent(await sign()), { now: () => now + 59_999 })).toMatchObject({ tenantId: 7 })
    expect(await verdictOn(sent(await sign()), { now: () => now + 60_000 })).toBe("401 token_expired")
  })

  it("of another secret is refused, and of any secret that is in force accepted", async () => {
    const token = sent(await sign({ secret: another }))
    expect(await verdictOn(token)).toBe("401 token_invalid")
    expect(await verdictOn(token, { secrets: [secret, another] })).toMatchObject({ tenantId: 7 })
  })

  it("does not choose its algorithm", async () => {
    const claims = base64url.encode(JSON.stringify({ tenant_id: 7, exp: expiresAt }))
    for (const alg of ["none", "None", "RS256", "HS256 "]) {
      const header = base64url.encode(JSON.stringify({ alg }))
      expect(await verdictOn(sent(`${header}.${claims}.`))).toBe("401 token_malformed")
      expect(await verdictOn(sent(`${header}.${claims}.AAAA`))).toBe("401 token_invalid")
    }
    expect(await verdictOn(sent(await signClaims({ tenant_id: 7, exp: expiresAt }, "HS512")), long)).toBe("401 token_invalid")
  })

  it("is refused when one of its characters is another, or its end is missing", async () => {
    const token = await sign()
    expect(await verdictOn(sent(token.slice(0, -3)))).toBe("401 token_invalid")
    const claims = token.split(".")[1] ?? ""
    expect(await verdictOn(sent(token.replace(claims, `${claims}A`)))).toBe("401 token_invalid")
  })

  for (
    const [what, authorization, code] of [
      ["is missing", null, "token_missing"],
      ["is empty", "", "token_missing"],
      ["is of another scheme", "Basic YTpi", "token_malformed"],
      ["has no token", "Bearer ", "token_malformed"],
      ["has two tokens", "Bearer a.b.c a.b.c", "token_malformed"],
      ["has a control character", "Bearer a.b.\u0000c", "token_malformed"],
      ["is longer than any token", `Bearer ${"a".repeat(maxAuthorizationChars)}.b.c`, "token_malformed"],
      ["holds no JSON", "Bearer a.b.c", "token_invalid"]
    ] as const
  ) {
    it(`is refused where the header ${what}`, async () => {
      expect(await verdictOn({ authorization, tenantCode: null })).toBe(`401 ${code}`)
    })
  }

  it("is taken whatever the case of the scheme", async () => {
    expect(await verdictOn({ authorization: `bearer ${await sign()}`, tenantCode: null })).toMatchObject({ tenantId: 7 })
  })
})

describe("X-Tenant-Code", () => {
  it("may agree with the tenant's number or with its name in the token", async () => {
    const token = await sign({ tenantCode: "hakwon" })
    for (const code of ["7", "hakwon", "", null]) {
      expect(await verdictOn(sent(token, code))).toMatchObject({ tenantId: 7 })
    }
  })

  it("is refused where it disagrees, also for a token that is remembered", async () => {
    const verify = verifier()
    const token = await sign()
    await verify(sent(token))
    for (const code of ["8", "hakwon", "07", "7.0"]) {
      expect(await verify(sent(token, code))).toMatchObject({ status: 403, code: "tenant_mismatch" })
      expect(await verdictOn(sent(token, code))).toBe("403 tenant_mismatch")
    }
  })
})

describe("A verified token", () => {
  it("is remembered until it expires, and then refused", async () => {
    let clock = now
    const verify = verifier({ now: () => clock })
    const token = sent(await sign())
    expect(verify(token)).toBeInstanceOf(Promise)
    await verify(token)
    expect(verify(token)).toMatchObject({ tenantId: 7 })
    clock += 60_000
    expect(verify(token)).toMatchObject({ status: 401, code: "token_expired" })
    expect(await verify(token)).toMatchObject({ status: 401, code: "token_expired" })
  })

  it("is forgotten when too many came after it", async () => {
    const verify = verifier({ remembered: 2 })
    const tokens = await Promise.all(["a", "b", "c"].map(async (subject) => sent(await sign({ subject }))))
    for (const token of tokens) await verify(token)
    expect(tokens.map((token) => verify(token) instanceof Promise)).toEqual([true, false, false])
  })

  it("is verified each time where none is to be remembered", async () => {
    const verify = verifier({ remembered: 0 })
    const token = sent(await sign())
    await verify(token)
    expect(verify(token)).toBeInstanceOf(Promise)
  })

  it("that was refused is not remembered", async () => {
    const verify = verifier()
    const token = sent(await sign({ secret: another }))
    await verify(token)
    expect(verify(token)).toBeInstanceOf(Promise)
  })
})

describe("A secret", () => {
  it("that is short is refused before anything is verified or signed with it, without being shown", async () => {
    const short = "ㄱ".repeat(10)
    expect(() => makeTokenVerifier({ secrets: [secret, short] })).toThrow(
      `Cannot use the token secret: it has 30 bytes and needs ${minSecretBytes}`
    )
    await expect(sign({ secret: short })).rejects.toThrow("it has 30 bytes")
    await expect(sign({ secret: short })).rejects.not.toThrow(short)
    expect(() => makeTokenVerifier({ secrets: [] })).toThrow("there is no secret")
  })
})

describe("Signing", () => {
  it("refuses a tenant and a time that are none", async () => {
    for (const tenantId of [0, -1, 1.5, Number.NaN]) await expect(sign({ tenantId })).rejects.toThrow(RangeError)
    for (const expiresInSeconds of [0, -1, Number.NaN, Infinity]) await expect(sign({ expiresInSeconds })).rejects.toThrow(RangeError)
  })
})

describe("A watch token", () => {
  const watching = (watch: Parameters<typeof signWatchToken>[0]["watch"], fields: { readonly expiresInSeconds?: number } = {}) =>
    signWatchToken({ tenantId: 7, secret, expiresInSeconds: 60, now, watch, ...fields })

  it("names its one video or job, and its end", async () => {
    for (const watch of [videoSubject(VideoId.make(42)), jobSubject(JobId.make("작업 1"))]) {
      expect(await verdictOn(sent(await watching(watch)))).toMatchObject({ tenantId: 7, watch, expiresAt })
    }
    const over = { now: () => now + 60_000 }
    expect(await verdictOn(sent(await watching(videoSubject(VideoId.make(42)))), over)).toBe("401 token_expired")
  })

  for (
    const watch of [
      null, undefined, true, 42, "42", [], {}, { video: "42" }, { video: 0 }, { video: -1 }, { video: 1.5 }, { video: 2 ** 53 }, { job: "" },
      { job: 1 }, { job: "x".repeat(65) }, { video: 1, job: "a" }, { video: 1, extra: 1 }, { videos: [1] }
    ]
  ) {
    const isClaim = watch !== undefined
    it(`${isClaim ? "is refused" : "is none"} where the claim is ${JSON.stringify(watch)}`, async () => {
      const verdict = await verdictOn(sent(await signClaims({ tenant_id: 7, exp: expiresAt, watch })), long)
      expect(typeof verdict === "string" ? verdict : verdict.watch).toBe(isClaim ? "401 token_invalid" : undefined)
    })
  }

  it("is not signed for what is no id, nor without an end", async () => {
    const [a] = [1.5].filter((id): id is VideoId => id > 0)
    if (a === undefined) throw new Error("there is no such number")
    await expect(watching(videoSubject(a))).rejects.toThrow("that is no id")
    await expect(watching(videoSubject(VideoId.make(1)), { expiresInSeconds: 0 })).rejects.toThrow(RangeError)
  })
})
