import {
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type PutObjectCommandInput,
  S3Client
} from "@aws-sdk/client-s3"
import { getSignedUrl } from "@aws-sdk/s3-request-presigner"
import * as NodeStream from "@effect/platform-node/NodeStream"
import {
  maxParts,
  minPartBytes,
  ObjectChanged,
  type ObjectHead,
  type ObjectHeaders,
  ObjectNotFound,
  ObjectStore,
  ObjectStoreUnavailable,
  type SeenObject,
  type UploadIncomplete,
  type UploadNotFound
} from "@lectern/domain"
import { Effect, Layer, Option, Stream } from "effect"
import { Readable } from "node:stream"
import { type AwsClientOptions, call, clientConfig, faultName, isRetryable, statusOf } from "../aws/AwsClient.ts"
import { attachment } from "../files/attachment.ts"
import { checkedKey, checkedPrefix, checkedRange } from "../files/checkedKey.ts"
import { multipartUploadsS3 } from "./MultipartUploadsS3.ts"
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
const deleteBatch = 1_000
/** The object that `ping` writes: an account that can read and not write is not ready (INCIDENTS.md, 8). */
const probeKey = "lectern-readiness-probe"

/**
 * What a write with a condition that does not hold is answered: another version is there (412), somebody else is
 * writing it at this moment (409), or, by S3 and not by R2, there is none to match (404).
 */
const isConditionLost = (cause: unknown): boolean =>
  statusOf(cause) === 412 || faultName(cause) === "ConditionalRequestConflict" || faultName(cause) === "NoSuchKey"

/**
 * Objects in a bucket of S3, R2 or whatever speaks their protocol.
 *
 * Every attempt of a call has a time limit and there are few of them. "Denied" and "no such bucket" are unavailability, never
 * an absent object (INCIDENTS.md, 16). The server has to keep the conditions of PutObject (`If-Match: ETAG`,
 * `If-None-Match: *`): one that ignores them lets a run that woke too late overwrite a newer publication.
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

      const sendWhole = <E>(
        key: string,
        body: Uint8Array,
        headers: ObjectHeaders,
        condition: Pick<PutObjectCommandInput, "IfMatch" | "IfNoneMatch">,
        failed: (cause: unknown) => E
      ) =>
        call(
          (abortSignal) =>
            s3.send(
              new PutObjectCommand({
                Bucket,
                Key: key,
                Body: body,
                ContentLength: body.byteLength,
                ContentType: headers.contentType,
                CacheControl: headers.cacheControl,
                ...condition
              }),
              { abortSignal }
            ),
          failed
        )

      const putWhole = (key: string, body: Uint8Array, headers: ObjectHeaders) =>
        sendWhole(key, body, headers, {}, unavailable("write", key))

      const putIfUnchanged = Effect.fn("ObjectStore.putIfUnchanged")(function*(
        { etag, key }: SeenObject,
        bytes: Uint8Array,
        headers: ObjectHeaders
      ) {
        yield* checkedKey(key)
        yield* sendWhole(
          key,
          bytes,
          headers,
          etag === null ? { IfNoneMatch: "*" } : { IfMatch: etag },
          (cause) => isConditionLost(cause) ? new ObjectChanged({ key, etag }) : unavailable("write", key)(cause)
        )
      })

      const multipart = multipartUploadsS3({ s3, bucket: Bucket, unavailable, incomplete, wrongSize })

      const putInParts = <E>(
        key: string,
        parts: Stream.Stream<Uint8Array, E | ObjectStoreUnavailable>,
        headers: ObjectHeaders
      ): Effect.Effect<void, E | ObjectStoreUnavailable> =>
        Effect.acquireUseRelease(
          multipart.begin(key, headers),
          Effect.fnUntraced(function*(upload) {
            // An upload that is gone was ended by somebody else, or the answer to its end was lost: it can be begun anew.
            const failed = (error: UploadNotFound | UploadIncomplete | ObjectStoreUnavailable): ObjectStoreUnavailable =>
              error._tag === "ObjectStoreUnavailable" ? error : unavailable("write", key)(error)
            const uploaded = yield* Stream.zipWithIndex(parts).pipe(
              Stream.mapEffect(
                ([part, index]) =>
                  Effect.mapError(multipart.putPart(upload, index + 1, Stream.make(part), part.byteLength), failed),
                { concurrency: options.partConcurrency ?? 3 }
              ),
              Stream.runCollect
            )
            yield* Effect.mapError(multipart.complete(upload, uploaded), failed)
          }),
          (upload, exit) =>
            exit._tag === "Success"
              ? Effect.void
              : multipart.abort(upload).pipe(
                Effect.catchTag("ObjectStoreUnavailable", (error) =>
                  // The parts cost money until the sweep removes them; the caller's failure is the news.
                  Effect.logWarning("The parts of a failed upload are left to the sweep", { key, error: error.message }))
              )
        )

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

      const getPart = Effect.fn("ObjectStore.getPart")(function*(
        { etag, key }: Pick<ObjectHead, "etag" | "key">,
        range: { readonly start: number; readonly end: number }
      ) {
        yield* checkedKey(key)
        const { end, start } = yield* checkedRange(range)
        const bytes = yield* call(
          async (abortSignal) => {
            const found = await s3.send(
              new GetObjectCommand({ Bucket, Key: key, Range: `bytes=${start}-${end}`, IfMatch: etag }),
              { abortSignal }
            )
            return await found.Body?.transformToByteArray()
          },
          (cause) =>
            statusOf(cause) === 412
              ? new ObjectChanged({ key, etag })
              : faultName(cause) === "NoSuchKey"
              ? new ObjectNotFound({ key })
              : unavailable("read", key)(cause)
        )
        const length = bytes?.byteLength ?? 0
        return bytes !== undefined && length === end - start + 1
          ? bytes
          : yield* Effect.fail(
            new ObjectStoreUnavailable({
              operation: "read",
              key,
              retryable: true,
              cause: new Error(`${length} bytes came of bytes ${start} to ${end}`)
            })
          )
      })

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
        putIfUnchanged,
        get,
        getPart,
        head,
        list: (prefix) => Stream.flatMap(listPages(prefix), (keys) => Stream.fromIterable(keys)),
        remove,
        removePrefix,
        presignPut,
        presignGet,
        multipart,
        ping: Effect.asVoid(
          putWhole(probeKey, new Uint8Array(), { contentType: "application/octet-stream", cacheControl: "no-store" })
        )
      })
    })
  )
