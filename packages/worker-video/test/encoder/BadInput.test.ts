import { assert, layer } from "@effect/vitest"
import { Effect, FileSystem, Path, Queue } from "effect"
import { createServer } from "node:net"
import { encode, encoderLayer, filesBelow, h264, made, picture, probed, sample, temporary, tone } from "./MadeMedia.ts"

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

const file = Effect.fnUntraced(function* (name: string, content: string | Uint8Array) {
  const fileSystem = yield* FileSystem.FileSystem
  const paths = yield* Path.Path
  const path = paths.join(yield* temporary, name)
  yield* fileSystem.writeFile(path, typeof content === "string" ? new TextEncoder().encode(content) : content)
  return path
})

/** A server that reports each connection that it gets. */
const listening = Effect.gen(function* () {
  const connections = yield* Queue.unbounded<string>()
  const server = createServer((socket) => {
    Queue.offerUnsafe(connections, "connected")
    socket.destroy()
  })
  const port = yield* Effect.acquireRelease(
    Effect.callback<number>((resume) => {
      server.listen(0, "127.0.0.1", () => {
        const address = server.address()
        resume(typeof address === "object" && address !== null ? Effect.succeed(address.port) : Effect.die("no port"))
      })
    }),
    () => Effect.callback<void>((resume) => void server.close(() => resume(Effect.void)))
  )
  return { connections, port }
})

layer(encoderLayer, { excludeTestServices: true })("bad input", (it) => {
  it.effect("an empty file is rejected as empty", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* rejected(yield* file("in.mp4", ""))).code, "empty")
    })
  )

  it.effect("a text renamed to .mp4 is rejected as no media", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* rejected(yield* file("in.mp4", "숙제: 12쪽까지\n"))).code, "not_media")
    })
  )

  it.effect("an archive, a picture and random bytes are each rejected for what they are", () =>
    Effect.gen(function* () {
      const fileSystem = yield* FileSystem.FileSystem
      const jpeg = yield* made(yield* temporary, "in.jpg", ...picture("testsrc2=s=64x64:r=1:d=1"), "-frames:v", "1")
      const noise = Uint8Array.from({ length: 5000 }, (_, index) => (index * 7919 + (index >> 3) * 104729) & 0xff)
      noise[0] = 0x01
      assert.strictEqual((yield* rejected(yield* file("in.mp4", "PK\x03\x04and more"))).code, "not_media")
      assert.strictEqual((yield* rejected(yield* file("in.mp4", yield* fileSystem.readFile(jpeg)))).code, "image")
      assert.strictEqual((yield* rejected(yield* file("in.mp4", noise))).code, "not_media")
    })
  )

  it.effect(
    "a file cut off in its data, in its index or in its first bytes is rejected before anything is encoded",
    () =>
      Effect.gen(function* () {
        const fileSystem = yield* FileSystem.FileSystem
        const whole = yield* fileSystem.readFile(sample)
        const fast = yield* fileSystem.readFile(
          yield* made(yield* temporary, "fast.mp4", "-i", sample, "-c", "copy", "-t", "10", "-movflags", "+faststart")
        )
        const code = (bytes: Uint8Array) =>
          Effect.flatMap(file("in.mp4", bytes), (path) => Effect.map(rejected(path), (error) => error.code))
        assert.strictEqual(yield* code(fast.subarray(0, Math.floor(fast.length * 0.6))), "truncated")
        assert.strictEqual(yield* code(whole.subarray(0, whole.length - 1)), "truncated")
        assert.strictEqual(yield* code(whole.subarray(0, 1000)), "truncated")
        assert.oneOf(yield* code(whole.subarray(0, 20)), ["truncated", "unreadable"])
      })
  )

  it.effect("a recording that lost its end is rejected although every box, cluster and packet in it is whole", () =>
    Effect.gen(function* () {
      const fileSystem = yield* FileSystem.FileSystem
      const whole = yield* fileSystem.readFile(
        yield* made(yield* temporary, "whole.mkv", ...picture("testsrc2=s=320x240:r=25:d=8"), ...tone(8), ...h264)
      )
      const error = yield* rejected(yield* file("in.mkv", whole.subarray(0, Math.floor(whole.length * 0.5))))
      assert.strictEqual(error.code, "truncated")
    })
  )

  it.effect("a file without its index is rejected as unreadable", () =>
    Effect.gen(function* () {
      const bytes = new Uint8Array(64)
      const view = new DataView(bytes.buffer)
      view.setUint32(0, 16)
      bytes.set(new TextEncoder().encode("ftypisom"), 4)
      view.setUint32(16, 48)
      bytes.set(new TextEncoder().encode("mdat"), 20)
      assert.strictEqual((yield* rejected(yield* file("in.mp4", bytes))).code, "unreadable")
    })
  )

  it.effect("a file whose every frame is damaged is rejected", () =>
    Effect.gen(function* () {
      const fileSystem = yield* FileSystem.FileSystem
      const good = yield* fileSystem.readFile(
        yield* made(
          yield* temporary,
          "good.mp4",
          ...picture("testsrc2=s=320x240:r=25:d=4"),
          ...h264,
          "-movflags",
          "+faststart"
        )
      )
      const data = new TextDecoder("latin1").decode(good).indexOf("mdat") + 8
      const damaged = good.map((byte, index) => (index < data ? byte : (byte * 31 + index * 17) & 0xff))
      assert.strictEqual((yield* rejected(yield* file("in.mp4", damaged))).code, "damaged")
    })
  )

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

  it.effect("subtitles alone are rejected as having no streams", () =>
    Effect.gen(function* () {
      const subtitles = yield* file("in.srt", "1\n00:00:00,000 --> 00:00:01,000\nhello\n")
      const input = yield* made(yield* temporary, "in.mkv", "-i", subtitles)
      assert.strictEqual((yield* rejected(input)).code, "no_streams")
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

  it.effect(
    "a playlist renamed to .mp4 is rejected without a connection and without reading the file that it names",
    () =>
      Effect.gen(function* () {
        const { connections, port } = yield* listening
        const paths = yield* Path.Path
        const secret = yield* made(yield* temporary, "secret.ts", ...picture("testsrc2=s=320x240:r=25:d=2"), ...h264)
        const playlists = [
          `#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n${secret}\n#EXT-X-ENDLIST\n`,
          `#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nhttp://127.0.0.1:${port}/a.ts\n#EXT-X-ENDLIST\n`,
          `ffconcat version 1.0\nfile '${secret}'\n`,
          `<?xml version="1.0"?><MPD><BaseURL>http://127.0.0.1:${port}/</BaseURL></MPD>`
        ]
        for (const playlist of playlists) {
          const error = yield* rejected(yield* file("in.mp4", playlist))
          assert.strictEqual(error.code, "playlist")
          assert.notInclude(error.message, paths.basename(secret))
        }
        assert.strictEqual(yield* Queue.size(connections), 0)
      })
  )

  it.effect("a playlist behind a forged signature is never interpreted: nothing that it names is opened", () =>
    Effect.gen(function* () {
      const { connections, port } = yield* listening
      const lines = `\n#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nhttp://127.0.0.1:${port}/a.ts\n#EXT-X-ENDLIST\n`
      const forged = [
        `ID3${lines}`,
        `OggS${lines}`,
        `\x1a\x45\xdf\xa3${lines}`,
        `RIFF\0\0\0\0AVI ${lines}`,
        `\0\0\0\x10ftypisom\0\0\0\0\0\0\0\x10moov${lines}`
      ]
      for (const content of forged) {
        const error = yield* rejected(
          yield* file(
            "in.mp4",
            Uint8Array.from(content, (letter) => letter.charCodeAt(0))
          )
        )
        assert.oneOf(error.code, ["unreadable", "truncated", "no_streams"])
      }
      assert.strictEqual(yield* Queue.size(connections), 0)
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
