import { ObjectStore, type UploadIncomplete, type UploadNotFound, VideoDeletion } from "@lectern/domain"
import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { CurrentPrincipal } from "./Authorization.ts"
import { OriginApi } from "./OriginApi.ts"
import { BadRequest, Conflict } from "./Refusal.ts"
import { unavailable, videoNotFound } from "./refusals.ts"
import { maxFileBytes, uploadParts } from "./uploadParts.ts"
import { makeVideoIntake } from "./VideoIntake.ts"
import { uploadValiditySeconds } from "./VideoUpload.ts"

const uploadGone = (error: UploadNotFound) => new Conflict({ detail: error.message, code: "upload_not_found" })

const partsMissing = (error: UploadIncomplete) =>
  new Conflict({ detail: `The parts are not all there: ${error.detail}`, code: "upload_incomplete" })

/**
 * Uploads in parts. An upload's id comes back from the browser: it counts for the key of the caller's own video alone, which
 * the object store checks.
 */
export const MultipartUploadHandlers = HttpApiBuilder.group(
  OriginApi,
  "multipartUploads",
  Effect.fnUntraced(function*(handlers) {
    const { multipart } = yield* ObjectStore
    const deletion = yield* VideoDeletion
    const intake = yield* makeVideoIntake

    return handlers.handleAll({
      init: Effect.fn("Origin.initMultipartUpload")(function*({ payload }) {
        const { tenantId } = yield* CurrentPrincipal
        if (payload.file_size > maxFileBytes) {
          return yield* new BadRequest({
            code: "file_too_large",
            detail: `Cannot accept a file of ${payload.file_size} bytes: ${maxFileBytes} is the most`
          })
        }
        const file = yield* intake.target(tenantId, payload)
        const upload = yield* multipart.begin(file.fileKey, {
          contentType: file.contentType,
          cacheControl: "private, no-store"
        }).pipe(Effect.catchTag("ObjectStoreUnavailable", unavailable("prepare the upload")))
        const { count, size } = uploadParts(payload.file_size)
        return {
          video: yield* intake.register(tenantId, payload, file),
          upload_id: upload.uploadId,
          file_key: file.fileKey,
          content_type: file.contentType,
          part_size: size,
          part_count: count
        }
      }),

      presign: Effect.fn("Origin.presignParts")(function*({ payload }) {
        const { tenantId } = yield* CurrentPrincipal
        const { fileKey } = yield* intake.awaiting(tenantId, payload.id)
        const upload = { key: fileKey, uploadId: payload.upload_id }
        return yield* Effect.gen(function*() {
          const uploaded = payload.resume === true ? yield* multipart.parts(upload) : null
          const parts = yield* Effect.forEach(payload.part_numbers, (number) =>
            Effect.map(
              multipart.presignPart(upload, number, { expiresInSeconds: uploadValiditySeconds }),
              (address) => ({ part_number: number, upload_url: address })
            ))
          return uploaded === null
            ? { parts }
            : { parts, uploaded: uploaded.map(({ etag, number, size }) => ({ part_number: number, etag, size })) }
        }).pipe(Effect.catchTags({
          UploadNotFound: (error) => Effect.fail(uploadGone(error)),
          ObjectStoreUnavailable: unavailable("prepare the upload")
        }))
      }),

      complete: Effect.fn("Origin.completeMultipartUpload")(function*({ payload }) {
        const { tenantId } = yield* CurrentPrincipal
        const video = yield* intake.awaiting(tenantId, payload.id)
        const upload = { key: video.fileKey, uploadId: payload.upload_id }
        yield* Effect.gen(function*() {
          const parts = payload.parts === undefined
            ? yield* multipart.parts(upload)
            : payload.parts.map(({ etag, part_number }) => ({ number: part_number, etag }))
          yield* multipart.complete(upload, parts)
        }).pipe(Effect.catchTags({
          // Said again after its answer was lost, it is complete: the file is there, or `accept` refuses.
          UploadNotFound: (error) => Effect.logInfo("An upload was completed before", { error: error.message }),
          UploadIncomplete: (error) => Effect.fail(partsMissing(error)),
          ObjectStoreUnavailable: unavailable("put the parts together")
        }))
        return yield* intake.accept(tenantId, video)
      }),

      abort: Effect.fn("Origin.abortMultipartUpload")(function*({ payload }) {
        const { tenantId } = yield* CurrentPrincipal
        const video = yield* intake.awaiting(tenantId, payload.id)
        yield* multipart.abort({ key: video.fileKey, uploadId: payload.upload_id }).pipe(
          Effect.andThen(deletion.remove(tenantId, payload.id)),
          Effect.uninterruptible,
          Effect.catchTags({
            VideoNotFound: (error) => Effect.fail(videoNotFound(error)),
            JobStoreUnavailable: unavailable("remove the video"),
            EncodeRuntimeUnavailable: unavailable("remove the video"),
            ObjectStoreUnavailable: unavailable("remove the parts")
          })
        )
      })
    })
  })
)
