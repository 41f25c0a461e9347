import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { existsSync } from "node:fs"
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { lectern, ownFolder, startLectern } from "./lecternProgram.ts"
import { madeVideo } from "./system/madeVideo.ts"
import { processesOf } from "./system/systemProcesses.ts"

const decode = Schema.decodeUnknownSync(Schema.fromJsonString(Schema.Struct({
  master: Schema.String,
  durationSeconds: Schema.Finite,
  files: Schema.Array(Schema.Struct({ path: Schema.String }))
})))

const withVideo = async (options: { readonly seconds: number; readonly size?: string }) => {
  const folder = await ownFolder()
  await writeFile(join(folder, "lecture.mp4"), await Effect.runPromise(madeVideo(options)))
  return folder
}

describe("lectern encode", () => {
  it("leaves a stream where it was told to, twice over, and prints one object on standard output", async () => {
    const folder = await withVideo({ seconds: 2, size: "160x90" })
    const out = join(folder, "made", "on", "the", "way")
    for (const _run of ["first", "second"]) {
      const { code, stderr, stdout } = await lectern(["encode", "lecture.mp4", "--out", out, "--json"], { cwd: folder })
      assert.strictEqual(code, 0)
      assert.include(stderr, "100%")
      assert.notInclude(stderr, "\u001b")
      const result = decode(stdout)
      assert.closeTo(result.durationSeconds, 2, 0.1)
      assert.match(await readFile(join(out, result.master), "utf8"), /^#EXTM3U/)
      for (const { path } of result.files) assert.isTrue(existsSync(join(out, path)), path)
    }
  })

  it("does not touch a directory that holds something else", async () => {
    const folder = await withVideo({ seconds: 1, size: "160x90" })
    await mkdir(join(folder, "mine"))
    await writeFile(join(folder, "mine", "thesis.txt"), "precious")
    const { code, stderr, stdout } = await lectern(["encode", "lecture.mp4", "--out", "mine", "--json"], { cwd: folder })
    assert.strictEqual(code, 64)
    assert.strictEqual(stdout, "")
    assert.include(stderr, "thesis.txt")
    assert.deepStrictEqual(await readdir(join(folder, "mine")), ["thesis.txt"])
  })

  it("refuses what is no video in two languages, and leaves nothing", async () => {
    const folder = await ownFolder()
    await writeFile(join(folder, "notes.mp4"), "not a video")
    const { code, stderr, stdout } = await lectern(["encode", "notes.mp4", "--out", "stream"], { cwd: folder })
    assert.strictEqual(code, 64)
    assert.strictEqual(stdout, "")
    assert.include(stderr, "neither a video nor an audio file")
    assert.match(stderr, /[가-힣]/)
    assert.deepStrictEqual(await readdir(folder), ["notes.mp4"])
  })

  it("says how to install ffmpeg where it is missing", async () => {
    const folder = await withVideo({ seconds: 1, size: "160x90" })
    const { code, stderr } = await lectern(["encode", "lecture.mp4", "--out", "stream"], { cwd: folder, env: { PATH: folder } })
    assert.strictEqual(code, 69)
    assert.include(stderr, "apt-get install ffmpeg")
  })

  it.each([["SIGINT", 130], ["SIGTERM", 143], ["SIGHUP", 129]] as const)(
    "takes its ffmpeg and its half output with it, and keeps what is finished, on %s",
    async (signal, exitCode) => {
      const folder = await withVideo({ seconds: 60, size: "640x360" })
      const started = startLectern(["encode", join(folder, "lecture.mp4"), "--out", join(folder, "stream")], { cwd: folder })
      await started.says("인코딩")
      started.child.kill(signal)
      const { code, stdout } = await started.end
      assert.strictEqual(code, exitCode)
      assert.strictEqual(stdout, "")
      assert.deepStrictEqual(await readdir(folder), [".stream.parts", "lecture.mp4"])
      assert.deepStrictEqual(await Effect.runPromise(processesOf(folder)), [])
    }
  )
})
