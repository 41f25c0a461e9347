import { assert, layer } from "@effect/vitest"
import { Duration, Effect, FileSystem, Path, Queue } from "effect"
import { ChildProcess, ChildProcessSpawner } from "effect/process"
import { fileURLToPath } from "node:url"
import { inputGuards } from "../../src/encoder/MediaInfo.ts"
import { MediaProgram } from "../../src/encoder/MediaProgram.ts"
import { canary } from "./Canary.ts"
import { encoderLayer, h264, made, picture, temporary } from "./MadeMedia.ts"

const contained = fileURLToPath(new URL("../../src/encoder/contained/ffmpeg", import.meta.url))

/** Exit code of the ffmpeg that encodes, asked to read an input with the guards of an upload. */
const opened = Effect.fnUntraced(function* (demuxers: string, input: string) {
  const spawner = yield* ChildProcessSpawner.ChildProcessSpawner
  const args = ["-v", "error", ...inputGuards(demuxers), "-i", input, "-f", "null", "-"]
  const options = { extendEnv: true, stdin: "ignore", stdout: "ignore", stderr: "ignore" } as const
  return Number(yield* spawner.exitCode(ChildProcess.make(contained, args, options)))
})

layer(encoderLayer, { excludeTestServices: true })("what the media programs may reach", (it) => {
  it.effect("ffmpeg opens a local file, and no address of any protocol, with the guards of an upload", () =>
    Effect.gen(function* () {
      const { connections, port } = yield* canary
      const video = yield* made(yield* temporary, "in.mp4", ...picture("testsrc2=s=64x64:r=5:d=1"), ...h264)
      assert.strictEqual(yield* opened("mov", video), 0)
      const host = `127.0.0.1:${port}`
      const addresses = [
        ...["http", "https", "tcp", "tls", "rtmp", "rtsp", "ftp", "sftp", "srtp", "udp"].map((name) => `${name}://${host}/a.mp4`),
        `concat:${video}|${video}`,
        `subfile,,start,0,end,0,,:${video}`,
        `cache:http://${host}/a.mp4`,
        `async:http://${host}/a.mp4`,
        "data:video/mp4;base64,AAAA"
      ]
      for (const address of addresses) assert.notStrictEqual(yield* opened("mov", address), 0, address)
      assert.strictEqual(yield* Queue.size(connections), 0)
    })
  )

  it.effect("even a playlist that were opened as one could call nobody", () =>
    Effect.gen(function* () {
      const fileSystem = yield* FileSystem.FileSystem
      const paths = yield* Path.Path
      const { connections, port } = yield* canary
      const playlist = paths.join(yield* temporary, "in.m3u8")
      const lines = ["#EXTM3U", "#EXT-X-TARGETDURATION:2", "#EXTINF:2,", `http://127.0.0.1:${port}/a.ts`, "#EXT-X-ENDLIST"]
      yield* fileSystem.writeFileString(playlist, `${lines.join("\n")}\n`)
      yield* opened("hls,mpegts", playlist)
      assert.strictEqual(yield* Queue.size(connections), 0)
    })
  )

  it.effect("ffprobe and the ffmpeg of single pictures get two variables, and none of ours", () =>
    Effect.gen(function* () {
      const fileSystem = yield* FileSystem.FileSystem
      const paths = yield* Path.Path
      const directory = yield* temporary
      const path = process.env["PATH"] ?? ""
      yield* Effect.acquireRelease(
        Effect.sync(() => {
          process.env["PATH"] = `${directory}:${path}`
          process.env["AWS_SECRET_ACCESS_KEY"] = "not-for-ffprobe"
        }),
        () =>
          Effect.sync(() => {
            process.env["PATH"] = path
            delete process.env["AWS_SECRET_ACCESS_KEY"]
          })
      )
      for (const program of ["ffprobe", "ffmpeg"] as const) {
        const fake = paths.join(directory, program)
        yield* fileSystem.writeFileString(fake, "#!/bin/sh\nexec env\n", { mode: 0o755 })
        const media = yield* MediaProgram
        const { stdout } = yield* media.run(program, [], { step: "probing", time: Duration.seconds(20) })
        const names = stdout.trim().split("\n").map((line) => line.split("=", 1)[0])
        assert.deepStrictEqual(names.filter((name) => name !== "PWD" && name !== "_").toSorted(), ["LC_ALL", "PATH"])
        assert.notInclude(stdout, "not-for-ffprobe")
      }
    })
  )
})
