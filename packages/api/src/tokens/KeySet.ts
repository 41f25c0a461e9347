import type { JWK } from "jose"
import { type PublicKey, publicKeyOf } from "./publicKey.ts"

/** Keys that an address gives (RFC 7517), as far as they are Ed25519 and have a name. */
export interface KeySet {
  /** The key of that name; `null` where there is none, and where the address has never answered. Never rejects. */
  readonly find: (kid: string) => Promise<PublicKey | null>
}

export interface KeySetOptions {
  readonly url: string
  readonly fetch?: typeof fetch
  /** Milliseconds since 1970; the machine's clock by default. */
  readonly now?: () => number
  /** Told of every address that could not be read; nobody by default. */
  readonly onFault?: (cause: unknown) => void
}

/** Milliseconds after which the keys are read again, behind the answers that still use them. */
export const refreshMillis = 5 * 60_000

/** Milliseconds between two readings, whatever unknown names are asked for: tokens must not make us ask. */
export const cooldownMillis = 30_000

/** The same after a reading that failed. */
export const failedCooldownMillis = 5_000

/** Milliseconds for which keys are good while their address is away; then no token of theirs is accepted. */
export const keepMillis = 60 * 60_000

const timeoutMillis = 2_000
const maxChars = 65_536
const maxKeys = 32

/** The body, unless it is longer than any set of keys. */
const boundedText = async (response: Response): Promise<string> => {
  let text = ""
  const decoder = new TextDecoder()
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true })
    if (text.length > maxChars) throw new RangeError(`Cannot read the key set: it has more than ${maxChars} characters`)
  }
  return text
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const isJwk = (value: unknown): value is JWK => isObject(value) && typeof value["kty"] === "string"

const readKeys = (text: string): ReadonlyMap<string, PublicKey> => {
  // oxlint-disable-next-line no-restricted-properties -- the result is unknown, and looked at by hand: Schema would double the bundle
  const value: unknown = JSON.parse(text)
  const listed = isObject(value) ? value["keys"] : undefined
  if (!Array.isArray(listed)) throw new TypeError("Cannot read the key set: it has no list of keys")
  const keys = new Map<string, PublicKey>()
  for (const entry of listed.slice(0, maxKeys)) {
    if (!isJwk(entry) || typeof entry.kid !== "string") continue
    const key = publicKeyOf(entry)
    if (key !== null) keys.set(entry.kid, key)
  }
  return keys
}

/**
 * Keeps the keys of an address: read at first use, again every five minutes and, at most twice a minute, for a name that is not
 * known. Bounded in time and size. Closed where in doubt: an unknown name has no key, keys that were taken out of the set are gone
 * with the next reading, and after an hour without the address all are.
 */
export const makeKeySet = (options: KeySetOptions): KeySet => {
  const now = options.now ?? Date.now
  const get = options.fetch ?? fetch
  let keys: ReadonlyMap<string, PublicKey> = new Map()
  let readAt = -Infinity
  let askedAt = -Infinity
  let cooldown = cooldownMillis
  let reading: Promise<void> | undefined

  const readOnce = async (): Promise<void> => {
    try {
      const response = await get(options.url, {
        headers: { accept: "application/json" },
        // What a redirect leads to is not the address that was trusted. "error" is not known to workerd.
        redirect: "manual",
        signal: AbortSignal.timeout(timeoutMillis)
      })
      if (!response.ok) throw new Error(`Cannot read the key set: its address answered ${response.status}`)
      keys = readKeys(await boundedText(response))
      readAt = now()
      cooldown = cooldownMillis
    } catch (cause) {
      cooldown = failedCooldownMillis
      options.onFault?.(cause)
    } finally {
      reading = undefined
    }
  }

  /** The reading that is under way, or a new one; none within the time after the last. */
  const read = (): Promise<void> => {
    if (reading === undefined && now() - askedAt >= cooldown) {
      askedAt = now()
      reading = readOnce()
    }
    return reading ?? Promise.resolve()
  }

  return {
    find: async (kid) => {
      const age = now() - readAt
      const known = age < keepMillis ? keys.get(kid) : undefined
      if (known === undefined) {
        await read()
        return now() - readAt < keepMillis ? keys.get(kid) ?? null : null
      }
      if (age >= refreshMillis) void read()
      return known
    }
  }
}
