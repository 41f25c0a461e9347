import { fieldsOf } from "./ProgressSnapshot.ts"

/** The claims of a token, unverified; none of one that is no JWT. */
const claimsOf = (token: string): Readonly<Record<string, unknown>> => {
  try {
    const payload = token.split(".")[1] ?? ""
    // oxlint-disable-next-line no-restricted-properties -- the client's only text to parse; its result is unknown
    const claims: unknown = JSON.parse(atob(payload.replaceAll("-", "+").replaceAll("_", "/")))
    return fieldsOf(claims)
  } catch {
    return {}
  }
}

/**
 * The name under which tabs share a subject, from which nobody can read anything.
 *
 * Tabs of one person share, though each may have a token of its own; those of two tenants or two servers never do. A
 * token that names no tenant shares with its equals alone. Rejects where there is no WebCrypto, as in a page without
 * TLS.
 */
export const tabName = async (baseUrl: string, token: string, subjectKey: string): Promise<string> => {
  const { sub, tenant_id } = claimsOf(token)
  const audience = tenant_id === undefined ? token : [tenant_id, sub]
  const text = JSON.stringify([baseUrl, audience, subjectKey])
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)))
  return `lectern-progress-1:${btoa(String.fromCharCode(...digest))}`
}
