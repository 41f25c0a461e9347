import type { Subject } from "@lectern/domain"
import { signClaims, type SigningGrant } from "./signToken.ts"
import { watchClaim, watchedSubject } from "./watchClaim.ts"

export interface WatchGrant extends SigningGrant {
  /** The one video or job whose progress the token may read. */
  readonly watch: Subject
}

/**
 * Signs a token (HS256) for a page, a phone or a partner that may watch one video or job, and nothing else: for the progress
 * endpoints alone, where everything else is UNKNOWN to it. Rejects what `signToken` rejects, and an id that is none.
 */
export const signWatchToken = async (grant: WatchGrant): Promise<string> => {
  const watch = watchClaim(grant.watch)
  if (watchedSubject(watch) === null) {
    throw new RangeError(`Cannot sign a token that watches ${JSON.stringify(watch)}: that is no id`)
  }
  return signClaims(grant, { watch })
}
