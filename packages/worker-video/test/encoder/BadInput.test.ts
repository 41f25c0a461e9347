import { assert, layer } from "@effect/vitest"
import { Effect, FileSystem, Path } from "effect"
import { encode, encoderLayer, filesBelow, made, picture, probed, sample, temporary } from "./MadeMedia.ts"

/** Encodes, expects a rejection for good, and that nothing is left beside the input. */
const rejected = Effect.fnUntraced(function* (input: string) {
  const paths = yield* Path.Path
  const fileSystem = yield* FileSystem.FileSystem
  const parent = paths.dirname(input)
  const before = yield* fileSystem.readDirectory(parent)
  const error = yield* Effect.flip(encode(input, paths.join(parent, "out")))
  assert.deepStrictEqual((yield* fileSystem.readDirectory(parent)).toSorted(), before.toSorted())
  if (error._tag !== "MediaRejected") return yield* Effect.die(error)
  assert.match(error.messageKo, /[가-힣]/)
  assert.match(error.messageEn, /[a-z]/)
  return error
})

// What an upload can be is in HostileInput.test.ts: here is what only a file on disk can be.
layer(encoderLayer, { excludeTestServices: true })("a local file that is no input", (it) => {
  it.effect("a link is rejected even if it points at a good file", () =>
    Effect.gen(function* () {
      const fileSystem = yield* FileSystem.FileSystem
      const paths = yield* Path.Path
      const link = paths.join(yield* temporary, "in.mp4")
      yield* fileSystem.symlink(sample, link)
      assert.strictEqual((yield* rejected(link)).code, "not_a_file")
    })
  )

  it.effect("a directory is rejected as no file", () =>
    Effect.gen(function* () {
      const fileSystem = yield* FileSystem.FileSystem
      const paths = yield* Path.Path
      const directory = paths.join(yield* temporary, "in.mp4")
      yield* fileSystem.makeDirectory(directory)
      assert.strictEqual((yield* rejected(directory)).code, "not_a_file")
    })
  )

  it.effect("a device is rejected as no file, and not read", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(probed("/dev/zero"))
      assert.strictEqual(error._tag === "MediaRejected" && error.code, "not_a_file")
    })
  )

  it.effect("a picture that is too small or too fast is rejected before it is decoded", () =>
    Effect.gen(function* () {
      const tiny = yield* made(yield* temporary, "in.mkv", ...picture("color=s=8x8:r=25:d=1"), "-c:v", "ffv1")
      assert.strictEqual((yield* rejected(tiny)).code, "dimensions")
      const fast = yield* made(yield* temporary, "in.mkv", ...picture("color=s=32x32:r=1000:d=1"), "-c:v", "ffv1")
      assert.strictEqual((yield* rejected(fast)).code, "frame_rate")
    })
  )

  it.effect("a good file is still found good by the same probe", () =>
    Effect.gen(function* () {
      const media = yield* probed(sample)
      assert.deepStrictEqual(
        [media.video?.displayWidth, media.video?.displayHeight, media.video?.frames, media.audio?.channels],
        [768, 432, 377, 2]
      )
      assert.strictEqual(media.demuxers, "mov")
      assert.include(yield* filesBelow((yield* Path.Path).dirname(sample)), "car-detection.mp4")
    })
  )
})
