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

/** No arrays. */
export const oneContainer: EncodeArray = { bytesPerContainer: 1, mostContainers: 1 }

/** In how many containers an upload of so many bytes is encoded; one where its size is not known. */
export const containersFor = ({ bytesPerContainer, mostContainers }: EncodeArray, bytes: number | null): number =>
  bytes === null ? 1 : Math.min(mostContainers, 1 + Math.floor(bytes / bytesPerContainer))
