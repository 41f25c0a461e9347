import { ObjectStore } from "@lectern/domain"
import { Effect, FileSystem, Stream } from "effect"
import { MediaRejected } from "./encoder/index.ts"

/** Largest upload that is taken into work: S3's largest object but for parts of more than 5 GiB. Bytes. */
export const maxRawBytes = 50 * 1024 ** 3

/** Copies the raw upload into the work directory; `onBytes` hears of every chunk. */
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
      return yield* MediaRejected.because("duration", `object "${key}" has ${head.size} bytes, more than ${maxRawBytes}`)
    }
    yield* objects.get(key).pipe(
      Stream.tap((chunk) => onBytes(chunk.length, head.size)),
      Stream.run(fs.sink(path))
    )
  }).pipe(Effect.withSpan("EncodeRun.download"))
