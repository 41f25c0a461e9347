/** Files that no teacher meant to upload, and some that somebody meant ill: each made on the spot. */
import { Effect, FileSystem, Path } from "effect"
import { box, fileType, joined, largeBox, latin, patched, withDataElsewhere } from "./IsoFile.ts"
import { h264, made, picture, sample, temporary, tone } from "./MadeMedia.ts"

/** What a hostile file may name: a secret beside it, and a server that nobody is to call. */
export interface Bait {
  /** A video with a picture of its own: were it opened, its frames would be in the output. */
  readonly secret: string
  readonly port: number
}

export interface HostileFile {
  readonly name: string
  readonly code: string | ReadonlyArray<string>
  readonly bytes: (bait: Bait) => ReturnType<typeof madeBytes> | Effect.Effect<Uint8Array>
}

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text)

const fixed = (name: string, code: HostileFile["code"], content: string | ((bait: Bait) => string)): HostileFile => ({
  name,
  code,
  bytes: (bait) => Effect.sync(() => utf8(typeof content === "string" ? content : content(bait)))
})

const binary = (name: string, code: HostileFile["code"], content: (bait: Bait) => Uint8Array): HostileFile => ({
  name,
  code,
  bytes: (bait) => Effect.sync(() => content(bait))
})

const madeBytes = Effect.fnUntraced(function* (name: string, ...args: ReadonlyArray<string>) {
  const fileSystem = yield* FileSystem.FileSystem
  return yield* fileSystem.readFile(yield* made(yield* temporary, name, ...args))
})

const changed = (
  name: string,
  code: HostileFile["code"],
  make: ReadonlyArray<string>,
  change: (bytes: Uint8Array, bait: Bait) => Uint8Array
): HostileFile => ({
  name,
  code,
  bytes: (bait) =>
    Effect.map(madeBytes(make[0] ?? "in.mp4", ...make.slice(1)), (bytes) => change(bytes, bait))
})

const clip = (name: string, ...more: ReadonlyArray<string>): ReadonlyArray<string> => [
  name,
  ...picture("testsrc2=s=320x240:r=25:d=4"),
  ...tone(4),
  ...h264,
  "-c:a",
  "aac",
  ...more
]
const cut = (share: number) => (bytes: Uint8Array) => bytes.slice(0, Math.floor(bytes.length * share))

const playlist = (uri: string): string =>
  `#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n${uri}\n#EXT-X-ENDLIST\n`

const cues = (count: number): string =>
  Array.from({ length: count }, (_, index) => {
    const moment = `00:00:${String(index % 60).padStart(2, "0")},000`
    return `${index + 1}\n${moment} --> ${moment}\n${"<b>".repeat(40)}x\n`
  }).join("\n")

const withSubtitles = (name: string, text: string, ...args: ReadonlyArray<string>): HostileFile["bytes"] =>
  Effect.fnUntraced(function* () {
    const fileSystem = yield* FileSystem.FileSystem
    const paths = yield* Path.Path
    const subtitles = paths.join(yield* temporary, "in.srt")
    yield* fileSystem.writeFileString(subtitles, text)
    return yield* madeBytes(name, "-i", subtitles, ...args)
  })

const hugePicture = Uint8Array.from([0, 0, 0x75, 0x30, 0, 0, 0x75, 0x30])

export const hostileFiles: ReadonlyArray<HostileFile> = [
  fixed("nothing at all", "empty", ""),
  fixed("a text", "not_media", "숙제: 12쪽까지\n"),
  fixed("an archive", "not_media", "PK\x03\x04\x14\0\0\0\x08\0 lecture.mp4"),
  {
    name: "a JPEG picture",
    code: "image",
    bytes: () => madeBytes("in.jpg", ...picture("testsrc2=s=64x64:r=1:d=1"), "-frames:v", "1")
  },
  {
    name: "a PNG picture",
    code: "image",
    bytes: () => madeBytes("in.png", ...picture("testsrc2=s=64x64:r=1:d=1"), "-frames:v", "1")
  },
  fixed("an SVG picture that names a server", "image", ({ port }) =>
    `<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><image href="http://127.0.0.1:${port}/a.png"/></svg>`
  ),
  changed("a video that lost its second half", "truncated", clip("in.mp4", "-movflags", "+faststart"), cut(0.5)),
  changed("a video that lost its index", ["truncated", "unreadable"], clip("in.mp4"), cut(0.7)),
  changed("a recording that stops in the middle of a packet", "truncated", clip("in.mkv"), cut(0.5)),
  binary("an index-less file of whole boxes", "unreadable", () => joined(fileType, box("mdat", new Uint8Array(4096)))),
  changed("a video that lasts no time", ["duration", "no_streams", "unreadable", "truncated"], clip("in.mp4", "-t", "0"), (bytes) => bytes),
  fixed("a playlist of a file of this machine", "playlist", playlist("file:///etc/passwd")),
  fixed("a playlist of another video", "playlist", ({ secret }) => playlist(secret)),
  fixed("a playlist of a server", "playlist", ({ port }) => playlist(`http://127.0.0.1:${port}/a.ts`)),
  fixed("a playlist with a key on a server", "playlist", ({ port, secret }) =>
    playlist(`#EXT-X-KEY:METHOD=AES-128,URI="http://127.0.0.1:${port}/key"\n${secret}`)
  ),
  fixed("a concat script", "playlist", ({ secret }) => `ffconcat version 1.0\nfile '${secret}'\n`),
  fixed("a concat script without its first line", "not_media", ({ secret }) => `file '${secret}'\nfile '/etc/passwd'\n`),
  fixed("a DASH manifest", "playlist", ({ port }) =>
    `<?xml version="1.0"?>\n<MPD><Period><AdaptationSet><Representation id="1"><BaseURL>http://127.0.0.1:${port}/` +
    "</BaseURL></Representation></AdaptationSet></Period></MPD>"
  ),
  fixed("a session description", "not_media", ({ port }) =>
    `v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video ${port} RTP/AVP 96\n`
  ),
  ...["ID3", "OggS", "\x1a\x45\xdf\xa3", "RIFF\0\0\0\0AVI ", "FLV\x01", "\0\0\x01\xba"].map((mark) =>
    binary(`a playlist behind the first bytes ${JSON.stringify(mark)}`, ["unreadable", "truncated", "no_streams"], ({ port }) =>
      latin(`${mark}\n${playlist(`http://127.0.0.1:${port}/a.ts`)}`)
    )
  ),
  binary("a playlist in an MP4's data", "unreadable", ({ port }) =>
    joined(fileType, box("mdat", latin(playlist(`http://127.0.0.1:${port}/a.ts`))))
  ),
  changed("a video in the data of another", "unreadable", clip("in.mp4"), (bytes) => joined(fileType, box("mdat", bytes))),
  changed("a video whose data is in another file", "external_reference", clip("in.mov"), (bytes) =>
    withDataElsewhere(bytes, "url ", latin("file:///etc/passwd\0"))
  ),
  changed("a video whose data an alias names", "external_reference", clip("in.mov"), (bytes) =>
    withDataElsewhere(bytes, "alis", new Uint8Array(150))
  ),
  changed(
    "a picture whose file says 30,000 by 30,000",
    "dimensions",
    ["in.avi", ...picture("testsrc2=s=64x64:r=5:d=1"), "-c:v", "rawvideo", "-pix_fmt", "yuv420p"],
    (bytes) =>
      patched(bytes, Uint8Array.from([64, 0, 0, 0, 64, 0, 0, 0]), Uint8Array.from([0x30, 0x75, 0, 0, 0x30, 0x75, 0, 0]))
  ),
  changed("a picture that is 30,000 by 30,000 in a file that says 64", "damaged", ["in.mov", ...picture("testsrc2=s=64x64:r=5:d=1"), "-c:v", "png"], (bytes) =>
    patched(bytes, joined(latin("IHDR"), Uint8Array.from([0, 0, 0, 64, 0, 0, 0, 64])), joined(latin("IHDR"), hugePicture))
  ),
  {
    name: "a picture of 16,000 by 16",
    code: "dimensions",
    bytes: () => madeBytes("in.mkv", ...picture("color=s=16000x16:r=5:d=0.4"), "-c:v", "ffv1")
  },
  {
    name: "a million frames a second",
    code: "frame_rate",
    bytes: () =>
      madeBytes("in.mp4", ...picture("color=s=32x32:r=1000000:d=0.002"), ...h264, "-video_track_timescale", "1000000")
  },
  {
    name: "a thousand subtitle tracks",
    code: "too_many_streams",
    bytes: withSubtitles("in.mkv", cues(3), ...Array.from({ length: 1000 }, () => ["-map", "0"]).flat())
  },
  { name: "a hundred thousand subtitles and no picture", code: "no_streams", bytes: withSubtitles("in.mkv", cues(100_000)) },
  binary("an index of 4 GiB", "truncated", () => joined(fileType, box("moov", new Uint8Array(64), 0xffffffff))),
  binary("an index of 4 EiB", "truncated", () => joined(fileType, largeBox("moov", new Uint8Array(64), 1n << 62n))),
  changed("four billion samples", ["unreadable", "truncated", "duration", "no_streams"], clip("in.mp4"), (bytes) => {
    const at = Buffer.from(bytes).indexOf("stsz")
    const lying = bytes.slice()
    lying.set([0xff, 0xff, 0xff, 0xff], at + 12)
    return lying
  }),
  changed("a video whose every frame is damaged", "damaged", [
    "in.mp4",
    ...picture("testsrc2=s=320x240:r=25:d=4"),
    ...h264,
    "-movflags",
    "+faststart"
  ], (bytes) => {
    const data = Buffer.from(bytes).indexOf("mdat") + 8
    return bytes.map((byte, index) => (index < data ? byte : (byte * 31 + index * 17) & 0xff))
  }),
  {
    name: "a long recording of which three quarters are missing",
    code: "truncated",
    bytes: () =>
      Effect.flatMap(FileSystem.FileSystem, (fileSystem) => fileSystem.readFile(sample)).pipe(
        Effect.map((bytes) => bytes.slice(0, Math.floor(bytes.length / 4)))
      )
  }
]
