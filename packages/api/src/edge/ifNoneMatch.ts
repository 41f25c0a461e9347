/**
 * Whether the client has what is named by `tag` already (RFC 9110, 13.1.2). The comparison is weak, as it has to be: a proxy that
 * compresses makes our tags weak.
 */
export const hasCurrent = (ifNoneMatch: string | null, tag: string | null): boolean =>
  ifNoneMatch !== null && tag !== null &&
  (ifNoneMatch === `"${tag}"` ||
    ifNoneMatch.split(",").some((one) => {
      const named = one.trim()
      return named === "*" || named === `"${tag}"` || named === `W/"${tag}"`
    }))
