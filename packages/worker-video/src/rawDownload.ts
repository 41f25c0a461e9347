import { type ObjectHead, ObjectStore, ObjectStoreUnavailable } from "@lectern/domain"
import { Effect, FileSystem, Schedule } from "effect"
import { MediaRejected } from "./encoder/index.ts"

/** Largest upload that is taken into work: S3's largest object but for parts of more than 5 GiB. Bytes. */
export const maxRawBytes = 50 * 1024 ** 3

/** Bytes of a part: what a connection that is cut costs at the most. */
const partBytes = 8 * 1024 ** 2
/** Parts on their way at once, each held in memory. */
const parallel = 4

/** Beside the store's own tries of a call: a line that is down for half a minute costs no attempt of the job. */
const tries = 6
const lineIsBack = Schedule.exponential("500 millis")

/**
 * Copies the raw upload into a file, in parts that come in parallel and are each asked for again when they fail. All of them are
 * of the object that was there at the beginning: one that takes its place meanwhile fails the download, which can be repeated.
 *
 * `onBytes` hears of every part that has arrived.
 */
export const downloadRaw = <E, R>(
  key: string,
  path: string,
  onBytes: (bytes: number, total: number) => Effect.Effect<void, E, R>
) =>
  Effect.gen(function*() {
    const objects = yield* ObjectStore
    const fs = yield* FileSystem.FileSystem
    const head = yield* objects.head(key)
    if (head.size === 0) return yield* MediaRejected.because("empty", `object "${key}" has no bytes`)
    if (head.size > maxRawBytes) {
      return yield* MediaRejected.because("too_large", `object "${key}" has ${head.size} bytes, more than ${maxRawBytes}`)
    }
    yield* fs.writeFile(path, new Uint8Array())
    yield* Effect.forEach(rangesOf(head), (range) =>
      objects.getPart(head, range).pipe(
        Effect.retry({
          while: (error) => error._tag === "ObjectStoreUnavailable" && error.retryable,
          schedule: lineIsBack,
          times: tries
        }),
        Effect.catchTag("ObjectChanged", (cause) =>
          Effect.fail(new ObjectStoreUnavailable({ operation: "read the whole of", key, retryable: true, cause }))),
        Effect.flatMap((bytes) => writeAt(fs, path, range.start, bytes)),
        Effect.andThen(onBytes(range.end - range.start + 1, head.size))
      ), { concurrency: parallel, discard: true })
    return head
  }).pipe(Effect.withSpan("EncodeRun.download"))

const rangesOf = ({ size }: Pick<ObjectHead, "size">) =>
  Array.from({ length: Math.ceil(size / partBytes) }, (_, index) => ({
    start: index * partBytes,
    end: Math.min(size, (index + 1) * partBytes) - 1
  }))

const writeAt = (fs: FileSystem.FileSystem, path: string, position: number, bytes: Uint8Array) =>
  Effect.gen(function*() {
    const file = yield* fs.open(path, { flag: "r+" })
    yield* file.seek(BigInt(position), "start")
    yield* file.writeAll(bytes)
  }).pipe(Effect.scoped)
