import * as Context from "effect/Context"

/**
 * In how many containers an encode is worked on together. It is decided when the encode is submitted, when the only
 * thing that is known of a video is how many bytes were uploaded.
 */
export interface EncodeArray {
  /** A container is added for each so many bytes of the upload. */
  readonly bytesPerContainer: number
  /** Never more than so many; 1 for no arrays at all. */
  readonly mostContainers: number
}

/** What holds where nothing else is said: one container for each encode. */
export const CurrentEncodeArray = Context.Reference<EncodeArray>("@lectern/domain/CurrentEncodeArray", {
  defaultValue: () => ({ bytesPerContainer: 2e9, mostContainers: 1 })
})

/** How many containers an upload of so many bytes is worth; one where its size is not known. */
export const containersFor = ({ bytesPerContainer, mostContainers }: EncodeArray, bytes: number | null): number =>
  bytes === null ? 1 : Math.min(mostContainers, 1 + Math.floor(bytes / bytesPerContainer))
