import { base64url, type JWK } from "jose"

/** The public half of an Ed25519 key, as verifiers take it. */
export interface PublicKey {
  readonly kty: "OKP"
  readonly crv: "Ed25519"
  readonly x: string
}

const keyBytes = 32

/** What stands before the 32 bytes of an Ed25519 key in SPKI (RFC 8410, 4). */
const spkiPrefix = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00] as const

const isKey = (bytes: Uint8Array): boolean => bytes.length === keyBytes

const decode = (text: string): Uint8Array => {
  try {
    return base64url.decode(text.replace(/[\s=]/g, "").replaceAll("+", "-").replaceAll("/", "_"))
  } catch {
    return new Uint8Array(0)
  }
}

const keyOf = (bytes: Uint8Array): PublicKey | null =>
  isKey(bytes) ? { kty: "OKP", crv: "Ed25519", x: base64url.encode(bytes) } : null

/**
 * Reads an Ed25519 public key: a PEM (`openssl pkey -pubout`; its line breaks may be written `\n`, as environments need it), or its 32 bytes
 * in base64 or base64url. Throws a `RangeError` for anything else, a private key among it, without showing it.
 */
export const parsePublicKey = (text: string): PublicKey => {
  const pem = /^-----BEGIN PUBLIC KEY-----([\s\S]*)-----END PUBLIC KEY-----$/.exec(text.trim().replaceAll("\\n", "\n"))?.[1]
  const bytes = decode(pem ?? text)
  const key = pem === undefined
    ? keyOf(bytes)
    : spkiPrefix.every((byte, index) => bytes[index] === byte)
    ? keyOf(bytes.subarray(spkiPrefix.length))
    : null
  if (key === null) {
    throw new RangeError("Cannot use the public key: it is no Ed25519 public key, as a PEM or as 32 bytes in base64")
  }
  return key
}

/** The key of a set that an address gave; `null` for one that is of another kind or of no use here. */
export const publicKeyOf = (jwk: JWK): PublicKey | null =>
  jwk.kty === "OKP" && jwk.crv === "Ed25519" && typeof jwk.x === "string" && (jwk.use ?? "sig") === "sig" ? keyOf(decode(jwk.x)) : null
