import { Effect } from "effect"
import type { PartState } from "./EncodeGroups.ts"
import type { EncodeToken } from "./EncodeToken.ts"

/** What decides every byte of an encode, as 24 hexadecimal digits: its source, its plan and the program. */
export type EncodeKey = string

/**
 * Keeps the finished parts of one encode, for a later attempt, and shares the work among those who encode together.
 *
 * A part (a group of segments, or the whole sound) is claimed, encoded, and kept. A claim has a number, higher than
 * that of every earlier claim of the part: it is in the names of the files, so that two programs never write one name,
 * whatever they believe of each other.
 */
export interface PartKeeper<E> {
  /** Stands in every name of this encode. */
  readonly token: EncodeToken
  /** Parts that are finished or in somebody's hands. */
  readonly states: Effect.Effect<ReadonlyMap<string, PartState>, E>
  /** Takes a part: the number of the claim, or `null` where it is finished or in other hands. */
  readonly claim: (part: string) => Effect.Effect<number | null, E>
  /** To be called as the work moves: what is not renewed goes to others. Cheap; called more often than needed. */
  readonly renew: Effect.Effect<void, E>
  /** Keeps the files (relative to `directory`) of a part that was claimed. They stay where they are. */
  readonly keep: (
    part: string,
    claim: number,
    directory: string,
    files: ReadonlyArray<string>
  ) => Effect.Effect<void, E>
  /** Puts the files of a finished part into `directory` and answers with their paths relative to it. */
  readonly fetch: (part: string, directory: string) => Effect.Effect<ReadonlyArray<string>, E>
}

/** Keeps nothing: an attempt that does not end well was in vain. */
export const keepNowhere =
  (token: EncodeToken) =>
  (_key: EncodeKey): Effect.Effect<PartKeeper<never>> =>
    Effect.succeed({
      token,
      states: Effect.succeed(new Map()),
      claim: () => Effect.succeed(1),
      renew: Effect.void,
      keep: () => Effect.void,
      fetch: () => Effect.succeed([])
    })
