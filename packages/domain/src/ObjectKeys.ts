import type { JobId } from "./Job.ts"
import type { TenantId } from "./Tenant.ts"
import type { VideoId } from "./VideoId.ts"

/** CONTRACT.md, section 6. `uuid` is new for each upload, so that no upload replaces another. */
export const rawVideoKey = (tenantId: TenantId, uuid: string, extension: string): string =>
  `tenants/${tenantId}/video/raw/${uuid}.${extension}`

/** Everything that is published of a video; ends in `/`. */
export const hlsPrefix = (tenantId: TenantId, videoId: VideoId): string => `tenants/${tenantId}/video/hls/${videoId}/`

export const masterPlaylistKey = (tenantId: TenantId, videoId: VideoId): string =>
  `${hlsPrefix(tenantId, videoId)}master.m3u8`

export const spreadsheetKey = (tenantId: TenantId, uuid: string, extension: string): string =>
  `tenants/${tenantId}/excel/${uuid}.${extension}`

export const worksheetKey = (tenantId: TenantId, uuid: string, extension: string): string =>
  `tenants/${tenantId}/ai/ocr/${uuid}.${extension}`

/** Results of a job; ends in `/`. */
export const exportsPrefix = (tenantId: TenantId, jobId: JobId): string => `tenants/${tenantId}/exports/${jobId}/`
