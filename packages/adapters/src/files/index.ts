/** Objects in a folder, and the signed addresses under which a browser reaches them. */
export { attachment } from "./attachment.ts"
export {
  covers,
  type GrantedRequest,
  GrantRefused,
  GrantSecretRefused,
  ObjectGrant,
  ObjectGrants,
  type PartGrant
} from "./ObjectGrants.ts"
export * as ObjectStoreFiles from "./ObjectStoreFiles.ts"
export type { ObjectStoreFilesOptions } from "./ObjectStoreFiles.ts"
export * as PlaybackUrlsLocal from "./PlaybackUrlsLocal.ts"
export type { PlaybackUrlsLocalOptions } from "./PlaybackUrlsLocal.ts"
