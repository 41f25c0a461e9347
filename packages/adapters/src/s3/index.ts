/** Objects in S3, R2 or whatever speaks their protocol. */
export * as ObjectStoreS3 from "./ObjectStoreS3.ts"
export type { ObjectStoreS3Options } from "./ObjectStoreS3.ts"
export * as PlaybackUrlsCdn from "./PlaybackUrlsCdn.ts"
