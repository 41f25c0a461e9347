import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  type S3Client,
  UploadPartCommand
} from "@aws-sdk/client-s3"
import { getSignedUrl } from "@aws-sdk/s3-request-presigner"
import {
  type MultipartUpload,
  type MultipartUploads,
  type ObjectStoreUnavailable,
  UploadIncomplete,
  UploadNotFound
} from "@lectern/domain"
import { Effect, Option, Stream } from "effect"
import { call, faultName } from "../aws/AwsClient.ts"
import { checkedKey } from "../files/checkedKey.ts"
import { checkedPartNumber } from "../files/checkedPartNumber.ts"

export interface MultipartUploadsS3Options {
  readonly s3: S3Client
  readonly bucket: string
  /** What a call that failed is called, by what it was to do and to which key. */
  readonly unavailable: (operation: string, key: string) => (cause: unknown) => ObjectStoreUnavailable
  /** A server that leaves out what its protocol promises. */
  readonly incomplete: (operation: string, key: string, field: string) => ObjectStoreUnavailable
  readonly wrongSize: (key: string, came: string, size: number) => ObjectStoreUnavailable
}

/** What a server calls parts that are not as they were named. */
const incompleteNames = new Set(["InvalidPart", "InvalidPartOrder", "EntityTooSmall"])

const isGone = (cause: unknown): boolean => faultName(cause) === "NoSuchUpload"

/** S3's own multipart uploads. A part is held in memory while it is on its way, so that it can be sent again. */
export const multipartUploadsS3 = (options: MultipartUploadsS3Options): MultipartUploads => {
  const { bucket: Bucket, incomplete, s3, unavailable, wrongSize } = options

  const failedOr = (operation: string, { key, uploadId }: MultipartUpload) => (cause: unknown) =>
    isGone(cause) ? new UploadNotFound({ key, uploadId }) : unavailable(operation, key)(cause)

  const partPages = (upload: MultipartUpload) =>
    Stream.paginate(Option.none<string>(), (marker) =>
      Effect.map(
        call(
          (abortSignal) =>
            s3.send(
              new ListPartsCommand({
                Bucket,
                Key: upload.key,
                UploadId: upload.uploadId,
                ...(Option.isSome(marker) ? { PartNumberMarker: marker.value } : {})
              }),
              { abortSignal }
            ),
          failedOr("list the parts of", upload)
        ),
        (page) =>
          [
            page.Parts ?? [],
            page.IsTruncated === true && page.NextPartNumberMarker !== undefined
              ? Option.some(Option.some(page.NextPartNumberMarker))
              : Option.none<Option.Option<string>>()
          ] as const
      ))

  return {
    begin: Effect.fn("MultipartUploads.begin")(function*(objectKey, headers) {
      const key = yield* checkedKey(objectKey)
      const { UploadId } = yield* call(
        (abortSignal) =>
          s3.send(
            new CreateMultipartUploadCommand({
              Bucket,
              Key: key,
              ContentType: headers.contentType,
              CacheControl: headers.cacheControl
            }),
            { abortSignal }
          ),
        unavailable("begin the upload of", key)
      )
      return UploadId === undefined
        ? yield* incomplete("begin the upload of", key, "UploadId")
        : { key, uploadId: UploadId }
    }),

    putPart: (upload, number, body, size) =>
      Effect.gen(function*() {
        const { key, uploadId } = upload
        yield* checkedPartNumber(number)
        const bytes = Buffer.concat(yield* Stream.runCollect(body))
        if (bytes.byteLength !== size) return yield* wrongSize(key, String(bytes.byteLength), size)
        const { ETag } = yield* call(
          (abortSignal) =>
            s3.send(
              new UploadPartCommand({
                Bucket,
                Key: key,
                UploadId: uploadId,
                PartNumber: number,
                Body: bytes,
                ContentLength: size
              }),
              { abortSignal }
            ),
          failedOr("write a part of", upload)
        )
        return ETag === undefined ? yield* incomplete("write a part of", key, "ETag") : { number, size, etag: ETag }
      }).pipe(Effect.withSpan("MultipartUploads.putPart")),

    presignPart: Effect.fn("MultipartUploads.presignPart")(function*({ key, uploadId }, number, { expiresInSeconds }) {
      yield* checkedKey(key)
      yield* checkedPartNumber(number)
      return yield* call(
        () =>
          getSignedUrl(
            s3,
            new UploadPartCommand({ Bucket, Key: key, UploadId: uploadId, PartNumber: number }),
            { expiresIn: expiresInSeconds }
          ),
        unavailable("sign an address to write a part of", key)
      )
    }),

    parts: Effect.fn("MultipartUploads.parts")(function*(upload) {
      const found = yield* Stream.runCollect(partPages(upload))
      return found.flatMap(({ ETag, PartNumber, Size }) =>
        ETag === undefined || PartNumber === undefined || Size === undefined
          ? []
          : [{ number: PartNumber, size: Size, etag: ETag }]
      )
    }),

    complete: Effect.fn("MultipartUploads.complete")(function*(upload, parts) {
      const { key, uploadId } = upload
      if (parts.length === 0) return yield* new UploadIncomplete({ key, detail: "it has no parts" })
      yield* call(
        (abortSignal) =>
          s3.send(
            new CompleteMultipartUploadCommand({
              Bucket,
              Key: key,
              UploadId: uploadId,
              MultipartUpload: { Parts: parts.map(({ etag, number }) => ({ ETag: etag, PartNumber: number })) }
            }),
            { abortSignal }
          ),
        (cause) =>
          incompleteNames.has(faultName(cause) ?? "")
            ? new UploadIncomplete({ key, detail: `the store answers ${faultName(cause)}` })
            : failedOr("complete the upload of", upload)(cause)
      )
    }),

    abort: Effect.fn("MultipartUploads.abort")(function*({ key, uploadId }) {
      yield* call(
        (abortSignal) =>
          s3.send(new AbortMultipartUploadCommand({ Bucket, Key: key, UploadId: uploadId }), { abortSignal }),
        (cause) => cause
      ).pipe(
        Effect.as(true),
        Effect.catchIf(isGone, () => Effect.succeed(false)),
        Effect.mapError(unavailable("abort the upload of", key))
      )
    }),

    list: (prefix) =>
      Stream.paginate(Option.none<{ readonly KeyMarker: string; readonly UploadIdMarker: string }>(), (marker) =>
        Effect.map(
          call(
            (abortSignal) =>
              s3.send(
                new ListMultipartUploadsCommand({
                  Bucket,
                  Prefix: prefix,
                  ...(Option.isSome(marker) ? marker.value : {})
                }),
                { abortSignal }
              ),
            unavailable("list the uploads of", prefix)
          ),
          (page) => {
            const found = (page.Uploads ?? []).flatMap(({ Initiated, Key, UploadId }) =>
              Key === undefined || UploadId === undefined || Initiated === undefined
                ? []
                : [{ key: Key, uploadId: UploadId, begunAt: Initiated.getTime() }]
            )
            const { IsTruncated, NextKeyMarker, NextUploadIdMarker } = page
            return [
              found,
              IsTruncated === true && NextKeyMarker !== undefined && NextUploadIdMarker !== undefined
                ? Option.some(Option.some({ KeyMarker: NextKeyMarker, UploadIdMarker: NextUploadIdMarker }))
                : Option.none<Option.Option<{ readonly KeyMarker: string; readonly UploadIdMarker: string }>>()
            ] as const
          }
        ))
  }
}
