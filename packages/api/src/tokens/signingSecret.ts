/** Bytes of UTF-8 that a secret has at least: as many as HS256 puts out (RFC 7518, 3.2). */
export const minSecretBytes = 32

const encoder = new TextEncoder()

/** The bytes of a secret. Throws where there are too few of them: a process must not start with a secret that can be guessed. */
export const secretBytes = (secret: string): Uint8Array<ArrayBuffer> => {
  const bytes = encoder.encode(secret)
  if (bytes.length < minSecretBytes) {
    throw new RangeError(
      `Cannot use the token secret: it has ${bytes.length} bytes and needs ${minSecretBytes}; make one with \`openssl rand -base64 48\``
    )
  }
  return bytes
}
