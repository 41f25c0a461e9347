import { exportJWK, exportPKCS8, exportSPKI, generateKeyPair, SignJWT } from "jose"
import { describe, expect, it } from "vitest"
import { makeTokenVerifier, parsePublicKey, signToken, TokenRefused, type TokenVerifierOptions } from "../../src/tokens/index.ts"

const secret = "a secret of more than thirty-two bytes"
const now = 1_800_000_000_000
const exp = now / 1000 + 60

const pair = () => generateKeyPair("EdDSA", { crv: "Ed25519", extractable: true })
const [first, second, foreign] = await Promise.all([pair(), pair(), pair()])
const [firstPem, secondPem] = await Promise.all([exportSPKI(first.publicKey), exportSPKI(second.publicKey)])

const sign = (key: CryptoKey, claims: Record<string, unknown> = {}, alg = "EdDSA") =>
  new SignJWT({ tenant_id: 7, exp, ...claims }).setProtectedHeader({ alg }).sign(key)

const verdictOn = async (token: string, options: Partial<TokenVerifierOptions>) => {
  const verdict = await makeTokenVerifier({ now: () => now, ...options })({ authorization: `Bearer ${token}`, tenantCode: null })
  return verdict instanceof TokenRefused ? verdict.code : verdict.tenantId
}

describe("A token signed with EdDSA", () => {
  it("is accepted by either of two public keys, by both names of the algorithm, and by no other key", async () => {
    const publicKeys = [firstPem, secondPem]
    expect(await verdictOn(await sign(first.privateKey), { publicKeys })).toBe(7)
    expect(await verdictOn(await sign(second.privateKey, {}, "Ed25519"), { publicKeys })).toBe(7)
    expect(await verdictOn(await sign(foreign.privateKey), { publicKeys })).toBe("token_invalid")
    expect(await verdictOn(await sign(first.privateKey), { secrets: [secret] })).toBe("token_invalid")
  })

  it("is accepted beside one signed with a secret, while issuers change over", async () => {
    const both = { secrets: [secret], publicKeys: [firstPem] }
    expect(await verdictOn(await sign(first.privateKey), both)).toBe(7)
    expect(await verdictOn(await signToken({ tenantId: 7, secret, expiresInSeconds: 60, now }), both)).toBe(7)
  })

  it("is refused when it has expired", async () => {
    expect(await verdictOn(await sign(first.privateKey, { exp: now / 1000 }), { publicKeys: [firstPem] })).toBe("token_expired")
  })

  it("cannot be forged by a secret that is the text of the public key", async () => {
    const forged = await new SignJWT({ tenant_id: 7, exp }).setProtectedHeader({ alg: "HS256" })
      .sign(new TextEncoder().encode(firstPem))
    expect(await verdictOn(forged, { publicKeys: [firstPem] })).toBe("token_invalid")
    expect(await verdictOn(forged, { secrets: [secret], publicKeys: [firstPem] })).toBe("token_invalid")
  })
})

describe("The audience of a token", () => {
  it("is looked at where one is configured, and nowhere else", async () => {
    const publicKeys = [firstPem]
    const here = { publicKeys, audience: "lectern" }
    expect(await verdictOn(await sign(first.privateKey, { aud: "lectern" }), here)).toBe(7)
    expect(await verdictOn(await sign(first.privateKey, { aud: ["other", "lectern"] }), here)).toBe(7)
    for (const aud of ["other", "", [], ["lecternx"], undefined]) {
      expect(await verdictOn(await sign(first.privateKey, { aud }), here)).toBe("token_invalid")
    }
    expect(await verdictOn(await sign(first.privateKey, { aud: "other" }), { publicKeys })).toBe(7)
    const signed = await signToken({ tenantId: 7, secret, expiresInSeconds: 60, now, audience: "lectern" })
    expect(await verdictOn(signed, { secrets: [secret], audience: "lectern" })).toBe(7)
  })
})

describe("A public key", () => {
  it("is read from a PEM, with its line breaks as they are or written out, and from its bytes", async () => {
    const { x } = await exportJWK(first.publicKey)
    const key = { kty: "OKP", crv: "Ed25519", x }
    const bytes = Buffer.from(x ?? "", "base64url")
    for (const text of [firstPem, firstPem.replaceAll("\n", "\\n"), ` ${firstPem}`, x ?? "", bytes.toString("base64")]) {
      expect(parsePublicKey(text)).toEqual(key)
    }
  })

  it("that is none is refused before anything is verified with it, without being shown", async () => {
    const ecdsa = await exportSPKI((await generateKeyPair("ES256", { extractable: true })).publicKey)
    const privateKey = await exportPKCS8(first.privateKey)
    for (const text of ["", "hunter2", "ü", "A".repeat(44), ecdsa, privateKey, firstPem.slice(0, 60), firstPem.replace("MCow", "MCoA")]) {
      expect(() => makeTokenVerifier({ publicKeys: [text] })).toThrow(
        "Cannot use the public key: it is no Ed25519 public key, as a PEM or as 32 bytes in base64"
      )
    }
    expect(() => makeTokenVerifier({})).toThrow("no secret, no public key and no key set")
  })
})
