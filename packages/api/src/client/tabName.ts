import { jsonOf } from "./jsonOf.ts"
import { fieldsOf } from "./ProgressSnapshot.ts"

/** The claims of a token, unverified; throws for one that is no JWT. */
const claimsOf = (token: string): Readonly<Record<string, unknown>> =>
  fieldsOf(jsonOf(atob((token.split(".")[1] ?? "").replaceAll("-", "+").replaceAll("_", "/"))))

/**
 * The name under which tabs share a subject.
 *
 * Tabs of one person share, though each may have a token of its own; those of two tenants or two servers never do.
 * Throws for a token that names no tenant: it shares with nobody.
 */
export const tabName = (baseUrl: string, token: string, subjectKey: string): string => {
  const { sub, tenant_id } = claimsOf(token)
  if (tenant_id === undefined) throw new Error("Cannot share without a tenant")
  return JSON.stringify(["lectern-progress-2", baseUrl, tenant_id, sub, subjectKey])
}
