import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"

/**
 * Addresses under which a player reads what is published: signed and with an end where the store is private. An address that
 * cannot be signed is not handed out (INCIDENTS.md, 34): an implementation without its secret does not start.
 */
export class PlaybackUrls extends Context.Service<PlaybackUrls, {
  /** The address of an object under a video's HLS prefix; relative names in a playlist resolve against it. */
  readonly url: (objectKey: string) => Effect.Effect<string>
}>()("@lectern/domain/PlaybackUrls") {}
