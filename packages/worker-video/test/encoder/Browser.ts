/** A real Chromium with hls.js, and a server of its own for what it plays. */
import { openChromium } from "@lectern/harness/chromium"
import { Effect, FileSystem, Path, Schema } from "effect"
import { createServer } from "node:http"
import { fileURLToPath } from "node:url"

const player = fileURLToPath(import.meta.resolve("hls.js/dist/hls.js"))

const page = `<!doctype html><meta charset="utf-8"><video muted></video><script src="/player.js"></script><script>
const video = document.querySelector("video")
const until = (check, what) => new Promise((resolve, reject) => {
  const late = setTimeout(() => reject(new Error("never " + what)), 15000)
  const look = () => check() ? (clearTimeout(late), resolve()) : requestAnimationFrame(look)
  look()
})
const playLevel = async (path, level, said) => {
  const failed = () => said.errors.length > 0
  const reached = (check, what) => until(() => failed() || check(), what)
  const hls = new Hls({ startLevel: level })
  hls.on(Hls.Events.ERROR, (_, { details }) => said.errors.push(details))
  hls.on(Hls.Events.MANIFEST_PARSED, () => { hls.loadLevel = level })
  try {
    hls.loadSource(path)
    hls.attachMedia(video)
    await reached(() => video.buffered.length > 0, "buffered")
    if (failed()) return 0
    said.starts.push(video.buffered.start(0))
    video.play().catch((error) => said.errors.push(String(error)))
    await reached(() => video.currentTime > 0.2, "played level " + level)
    for (const place of [video.duration - 3, 1]) {
      video.currentTime = place
      await reached(() => !video.seeking && video.currentTime > place + 0.1, "at " + place)
    }
    if (!failed()) said.levels.push(video.videoWidth + "x" + video.videoHeight)
    said.duration = video.duration || 0
    return hls.levels.length
  } finally {
    hls.destroy()
  }
}
window.play = async (path) => {
  const said = { levels: [], errors: [], starts: [], duration: 0 }
  try {
    let levels = 1
    for (let level = 0; level < levels && said.errors.length === 0; level++) levels = await playLevel(path, level, said)
  } catch (error) {
    said.errors.push(error.message)
  }
  return said
}
</script>`

const Said = Schema.Struct({
  /** Sizes of the rungs that were played, with a seek to near the end and back on each. */
  levels: Schema.Array(Schema.String),
  /** By the names of hls.js, in their order; a nudge over a hole is one. */
  errors: Schema.Array(Schema.String),
  /** Where the first buffered range of each rung begins, in seconds. */
  starts: Schema.Array(Schema.Finite),
  duration: Schema.Finite
})

const contentTypes: Record<string, string> = {
  ".m3u8": "application/vnd.apple.mpegurl",
  ".mp4": "video/mp4",
  ".m4s": "video/mp4"
}

/** Serves `directory` on 127.0.0.1 until the end of the scope and returns the address. */
const served = Effect.fnUntraced(function* (directory: string) {
  const fileSystem = yield* FileSystem.FileSystem
  const paths = yield* Path.Path
  const answer = (path: string) =>
    path === "/"
      ? Effect.succeed({ type: "text/html", body: new TextEncoder().encode(page) })
      : Effect.map(
          fileSystem.readFile(path === "/player.js" ? player : paths.join(directory, paths.normalize(path))),
          (body) => ({ body, type: contentTypes[paths.extname(path)] ?? "text/javascript" })
        )
  const server = yield* Effect.acquireRelease(
    Effect.sync(() =>
      createServer((request, response) => {
        Effect.runFork(
          Effect.match(answer(new URL(request.url ?? "/", "http://localhost").pathname), {
            onFailure: () => response.writeHead(404).end(),
            onSuccess: ({ body, type }) => response.writeHead(200, { "content-type": type }).end(body)
          })
        )
      })
    ),
    (one) =>
      Effect.callback<void>((resume) => {
        one.closeAllConnections()
        one.close(() => resume(Effect.void))
      })
  )
  yield* Effect.callback<void>((resume) => {
    server.listen(0, "127.0.0.1", () => resume(Effect.void))
  })
  const address = server.address()
  if (address === null || typeof address === "string") return yield* Effect.die("the server has no port")
  return `http://127.0.0.1:${address.port}`
})

/** Plays the stream in `directory` in hls.js: every rung, to near the end and back. */
export const playedInBrowser = Effect.fnUntraced(function* (directory: string) {
  const url = yield* served(directory)
  const context = yield* openChromium
  const said: unknown = yield* Effect.promise(async () => {
    const tab = await context.newPage()
    await tab.goto(url)
    return tab.evaluate("play('/master.m3u8')")
  })
  return yield* Schema.decodeUnknownEffect(Said)(said)
}, Effect.scoped)
