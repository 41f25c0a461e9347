import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  UploadPartCommand
} from "@aws-sdk/client-s3"
import { getSignedUrl } from "@aws-sdk/s3-request-presigner"
import * as NodeStream from "@effect/platform-node/NodeStream"
import { type ObjectHeaders, ObjectNotFound, ObjectStore, ObjectStoreUnavailable } from "@lectern/domain"
import { Effect, Layer, Option, Stream } from "effect"
import { Readable } from "node:stream"
import { type AwsClientOptions, call, clientConfig, faultName, isRetryable, statusOf } from "../aws/AwsClient.ts"
import { attachment } from "../files/attachment.ts"
import { checkedKey, checkedPrefix, checkedRange } from "../files/checkedKey.ts"
import { partsOf } from "./partsOf.ts"

export interface ObjectStoreS3Options extends AwsClientOptions {
  readonly bucket: string
  /** Whether the bucket stands in the path and not in the host name; R2 takes both, emulators want it. */
  readonly forcePathStyle?: boolean
  /** Bytes of a part of a big upload, 5 MiB or more; 8 MiB by default. A body up to this size goes in one request. */
  readonly partBytes?: number
  /** How many parts of one upload are on their way at once; each is held in memory. 3 by default. */
  readonly partConcurrency?: number
}

const mebibyte = 1024 * 1024
const minPartBytes = 5 * mebibyte
const maxParts = 10_000
const deleteBatch = 1_000
/** The object that `ping` writes: an account that can read and not write is not ready (INCIDENTS.md, 8). */
const probeKey = "lectern-readiness-probe"

/**
 * Objects in a bucket of S3, R2 or whatever speaks their protocol.
 *
 * Every attempt of a call has a time limit and there are few of them. "Denied" and "no such bucket" are unavailability, never
 * an absent object (INCIDENTS.md, 16).
 */
export const layer = (options: ObjectStoreS3Options): Layer.Layer<ObjectStore> =>
  Layer.effect(
    ObjectStore,
    Effect.gen(function*() {
      const Bucket = options.bucket
      const partBytes = options.partBytes ?? 8 * mebibyte
      if (partBytes < minPartBytes) {
        return yield* Effect.die(new Error(`Cannot upload in parts of ${partBytes} bytes: S3 takes ${minPartBytes} and more`))
      }
      const s3 = yield* Effect.acquireRelease(
        Effect.sync(() =>
          new S3Client({
            ...clientConfig(options),
            forcePathStyle: options.forcePathStyle ?? false,
            // R2 and older servers refuse the checksums that newer SDKs add of their own accord.
            requestChecksumCalculation: "WHEN_REQUIRED",
            responseChecksumValidation: "WHEN_REQUIRED"
          })
        ),
        (client) => Effect.sync(() => client.destroy())
      )

      const unavailable = (operation: string, key: string) => (cause: unknown): ObjectStoreUnavailable =>
        new ObjectStoreUnavailable({ operation, key, retryable: isRetryable(cause), cause })

      /** A server that leaves out what its protocol promises. */
      const incomplete = (operation: string, key: string, field: string) =>
        new ObjectStoreUnavailable({ operation, key, retryable: false, cause: new Error(`The answer has no ${field}`) })

      const wrongSize = (key: string, came: string, size: number) =>
        new ObjectStoreUnavailable({
          operation: "write",
          key,
          retryable: false,
          cause: new Error(`${came} bytes came, not ${size}`)
        })

      const putWhole = (key: string, body: Uint8Array, headers: ObjectHeaders) =>
        call(
          (abortSignal) =>
            s3.send(
              new PutObjectCommand({
                Bucket,
                Key: key,
                Body: body,
                ContentLength: body.byteLength,
                ContentType: headers.contentType,
                CacheControl: headers.cacheControl
              }),
              { abortSignal }
            ),
          unavailable("write", key)
        )

      const putInParts = <E>(
        key: string,
        parts: Stream.Stream<Uint8Array, E | ObjectStoreUnavailable>,
        headers: ObjectHeaders
      ): Effect.Effect<void, E | ObjectStoreUnavailable> => {
        const failed = unavailable("write", key)
        return Effect.acquireUseRelease(
          Effect.flatMap(
            call(
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
              failed
            ),
            ({ UploadId }) => UploadId === undefined ? Effect.fail(incomplete("write", key, "UploadId")) : Effect.succeed(UploadId)
          ),
          Effect.fnUntraced(function*(UploadId) {
            const uploaded = yield* Stream.zipWithIndex(parts).pipe(
              Stream.mapEffect(([part, index]) =>
                Effect.map(
                  call(
                    (abortSignal) =>
                      s3.send(
                        new UploadPartCommand({
                          Bucket,
                          Key: key,
                          UploadId,
                          PartNumber: index + 1,
                          Body: part,
                          ContentLength: part.byteLength
                        }),
                        { abortSignal }
                      ),
                    failed
                  ),
                  ({ ETag }) => ({ ETag, PartNumber: index + 1 })
                ), { concurrency: options.partConcurrency ?? 3 }),
              Stream.runCollect
            )
            yield* call(
              (abortSignal) =>
                s3.send(
                  new CompleteMultipartUploadCommand({ Bucket, Key: key, UploadId, MultipartUpload: { Parts: uploaded } }),
                  { abortSignal }
                ),
              failed
            )
          }),
          (UploadId, exit) =>
            exit._tag === "Success"
              ? Effect.void
              : call(
                (abortSignal) => s3.send(new AbortMultipartUploadCommand({ Bucket, Key: key, UploadId }), { abortSignal }),
                unavailable("abort the upload of", key)
              ).pipe(
                Effect.asVoid,
                Effect.catchTag("ObjectStoreUnavailable", (error) =>
                  // The parts cost money until the bucket's lifecycle rule removes them; the caller's failure is the news.
                  Effect.logWarning("The parts of a failed upload are left to the bucket's lifecycle", {
                    key,
                    error: error.message
                  }))
              )
        )
      }

      const put = <E>(
        key: string,
        body: Stream.Stream<Uint8Array, E>,
        headers: ObjectHeaders & { readonly size: number }
      ): Effect.Effect<void, E | ObjectStoreUnavailable> =>
        Effect.gen(function*() {
          yield* checkedKey(key)
          let size = 0
          const counted: Stream.Stream<Uint8Array, E | ObjectStoreUnavailable> = Stream.mapEffect(body, (chunk) => {
            size += chunk.byteLength
            return size > headers.size
              ? Effect.fail(wrongSize(key, `More than ${headers.size}`, headers.size))
              : Effect.succeed(chunk)
          })
          const ended = Stream.fromEffectDrain(
            Effect.suspend(() => size === headers.size ? Effect.void : Effect.fail(wrongSize(key, `Only ${size}`, headers.size)))
          )
          const exact = Stream.concat(counted, ended)
          if (headers.size <= partBytes) {
            const [whole] = yield* Stream.runCollect(partsOf(exact, Math.max(headers.size, 1)))
            yield* putWhole(key, whole ?? new Uint8Array(), headers)
          } else {
            yield* putInParts(key, partsOf(exact, Math.max(partBytes, Math.ceil(headers.size / maxParts))), headers)
          }
        }).pipe(Effect.withSpan("ObjectStore.put"))

      const get = (key: string, range?: { readonly start: number; readonly end: number }) =>
        Stream.unwrap(Effect.gen(function*() {
          yield* checkedKey(key)
          const bytes = range === undefined ? undefined : yield* checkedRange(range)
          const failed = unavailable("read", key)
          const found = yield* call(
            (abortSignal) =>
              s3.send(
                new GetObjectCommand({
                  Bucket,
                  Key: key,
                  ...(bytes === undefined ? {} : { Range: `bytes=${bytes.start}-${bytes.end}` })
                }),
                { abortSignal }
              ),
            (cause) => faultName(cause) === "NoSuchKey" ? new ObjectNotFound({ key }) : failed(cause)
          ).pipe(
            // A range behind the end holds nothing; a whole object that does not come is a fault.
            Effect.catchIf(
              (error) => error._tag === "ObjectStoreUnavailable" && statusOf(error.cause) === 416,
              () => Effect.succeed(null)
            )
          )
          if (found === null) return Stream.empty
          const body = found.Body
          if (!(body instanceof Readable)) return yield* incomplete("read", key, "body")
          return NodeStream.fromReadable<Uint8Array, ObjectStoreUnavailable>({ evaluate: () => body, onError: failed })
        }))

      const bucketExists = (key: string) =>
        call((abortSignal) => s3.send(new HeadBucketCommand({ Bucket }), { abortSignal }), (cause) => cause).pipe(
          Effect.as(true),
          Effect.catchIf(
            // To be refused the look, there must be something to look at.
            (cause) => statusOf(cause) === 403,
            () => Effect.succeed(true)
          ),
          Effect.mapError(unavailable("look up", key))
        )

      const head = Effect.fn("ObjectStore.head")(function*(key: string) {
        yield* checkedKey(key)
        const found = yield* call(
          (abortSignal) => s3.send(new HeadObjectCommand({ Bucket, Key: key }), { abortSignal }),
          (cause) => cause
        ).pipe(
          Effect.catchIf(
            (cause) => statusOf(cause) === 404,
            // An answer to HEAD has no body to say whether the object or the whole bucket is missing.
            () => Effect.andThen(bucketExists(key), Effect.fail(new ObjectNotFound({ key })))
          ),
          Effect.mapError((cause) =>
            cause instanceof ObjectNotFound || cause instanceof ObjectStoreUnavailable ? cause : unavailable("look up", key)(cause)
          )
        )
        if (found.ContentLength === undefined) return yield* incomplete("look up", key, "Content-Length")
        if (found.ETag === undefined) return yield* incomplete("look up", key, "ETag")
        return {
          key,
          size: found.ContentLength,
          contentType: found.ContentType ?? "application/octet-stream",
          etag: found.ETag
        }
      })

      const listPages = (prefix: string) =>
        Stream.paginate(Option.none<string>(), (token) =>
          Effect.map(
            call(
              (abortSignal) =>
                s3.send(
                  new ListObjectsV2Command({
                    Bucket,
                    Prefix: prefix,
                    ...(Option.isSome(token) ? { ContinuationToken: token.value } : {})
                  }),
                  { abortSignal }
                ),
              unavailable("list", prefix)
            ),
            (page) => {
              const keys = (page.Contents ?? []).flatMap(({ Key }) => Key === undefined ? [] : [Key])
              return [
                keys.length === 0 ? [] : [keys],
                page.IsTruncated === true && page.NextContinuationToken !== undefined
                  ? Option.some(Option.some(page.NextContinuationToken))
                  : Option.none<Option.Option<string>>()
              ] as const
            }
          ))

      const remove = Effect.fn("ObjectStore.remove")(function*(key: string) {
        yield* checkedKey(key)
        yield* call(
          (abortSignal) => s3.send(new DeleteObjectCommand({ Bucket, Key: key }), { abortSignal }),
          unavailable("remove", key)
        )
      })

      const removePrefix = Effect.fn("ObjectStore.removePrefix")(function*(prefix: string) {
        yield* checkedPrefix(prefix)
        return yield* listPages(prefix).pipe(
          Stream.flatMap((keys) => Stream.fromIterable(keys)),
          Stream.grouped(deleteBatch),
          Stream.mapEffect((keys) =>
            Effect.flatMap(
              call(
                (abortSignal) =>
                  s3.send(
                    new DeleteObjectsCommand({
                      Bucket,
                      Delete: { Objects: keys.map((key) => ({ Key: key })), Quiet: true }
                    }),
                    { abortSignal }
                  ),
                unavailable("remove every", prefix)
              ),
              // The call succeeds as a whole when single objects stay.
              ({ Errors: stayed = [] }) => {
                const [first] = stayed
                return first === undefined
                  ? Effect.succeed(keys.length)
                  : Effect.fail(
                    new ObjectStoreUnavailable({
                      operation: "remove every",
                      key: prefix,
                      retryable: first.Code !== "AccessDenied",
                      cause: new Error(`${stayed.length} objects stay; "${first.Key}": ${first.Code} ${first.Message}`)
                    })
                  )
              }
            )
          ),
          Stream.runFold(() => 0, (sum, count) => sum + count)
        )
      })

      const presignPut = Effect.fn("ObjectStore.presignPut")(function*(
        key: string,
        { contentType, expiresInSeconds }: { readonly contentType: string; readonly expiresInSeconds: number }
      ) {
        yield* checkedKey(key)
        return yield* call(
          () =>
            getSignedUrl(s3, new PutObjectCommand({ Bucket, Key: key, ContentType: contentType }), {
              expiresIn: expiresInSeconds,
              // Only what is signed is held to: another Content-Type is then refused.
              signableHeaders: new Set(["host", "content-type"])
            }),
          unavailable("sign an address to write", key)
        )
      })

      const presignGet = Effect.fn("ObjectStore.presignGet")(function*(
        key: string,
        { downloadName, expiresInSeconds }: { readonly downloadName?: string; readonly expiresInSeconds: number }
      ) {
        yield* checkedKey(key)
        return yield* call(
          () =>
            getSignedUrl(
              s3,
              new GetObjectCommand({
                Bucket,
                Key: key,
                ...(downloadName === undefined ? {} : { ResponseContentDisposition: attachment(downloadName) })
              }),
              { expiresIn: expiresInSeconds }
            ),
          unavailable("sign an address to read", key)
        )
      })

      return ObjectStore.of({
        put,
        get,
        head,
        list: (prefix) => Stream.flatMap(listPages(prefix), (keys) => Stream.fromIterable(keys)),
        remove,
        removePrefix,
        presignPut,
        presignGet,
        ping: Effect.asVoid(
          putWhole(probeKey, new Uint8Array(), { contentType: "application/octet-stream", cacheControl: "no-store" })
        )
      })
    })
  )
