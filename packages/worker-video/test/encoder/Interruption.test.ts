import { assert, layer } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber, FileSystem, Path, Schema, Stream } from "effect"
import { ChildProcess, ChildProcessSpawner } from "effect/process"
import { fileURLToPath } from "node:url"
import { Encoder, keepNowhere } from "../../src/encoder/index.ts"
import { encode, encoderLayer, filesBelow, h264, longInput, made, picture, temporary, token } from "./MadeMedia.ts"
import { gone, mediaProcesses } from "./Processes.ts"

class LeaseLost extends Schema.TaggedError<LeaseLost>()("LeaseLost", {}) {}

const onlyInputLeft = Effect.fnUntraced(function* (input: string) {
  const fileSystem = yield* FileSystem.FileSystem
  const paths = yield* Path.Path
  assert.deepStrictEqual(yield* fileSystem.readDirectory(paths.dirname(input)), ["in.mp4"])
  assert.deepStrictEqual(yield* mediaProcesses(input), [])
})

const program = fileURLToPath(new URL("./encode-program.ts", import.meta.url))

/** Starts the encoder in a process of its own, which is gone at the end of the test. */
const startedProgram = Effect.fnUntraced(function* (input: string, env: Record<string, string>) {
  const spawner = yield* ChildProcessSpawner.ChildProcessSpawner
  const paths = yield* Path.Path
  return yield* spawner.spawn(
    ChildProcess.make(process.execPath, [program, input, paths.join(paths.dirname(input), "out")], {
      env: { PATH: process.env["PATH"], SECRET_TOKEN: "not-for-ffmpeg", ...env },
      stdin: "ignore",
      killSignal: "SIGKILL"
    })
  )
})

const untilEncoding = (child: ChildProcessSpawner.ChildProcessHandle) =>
  child.stdout.pipe(
    Stream.decodeText(),
    Stream.splitLines,
    Stream.takeUntil((line) => /^transcoding 0\.\d/.test(line)),
    Stream.runDrain
  )

layer(encoderLayer, { excludeTestServices: true })("an encode that is ended early", (it) => {
  it.effect("is interrupted in the middle of ffmpeg's work and leaves no process and no file", () =>
    Effect.gen(function* () {
      const input = yield* longInput
      const encoder = yield* Encoder
      const paths = yield* Path.Path
      const encoding = yield* Deferred.make<void>()
      const fiber = yield* Effect.forkChild(
        encoder.encodeFile({
          input,
          outDir: paths.join(paths.dirname(input), "out"),
          source: input,
          keep: keepNowhere(token("t")),
          onProgress: ({ fraction, step }) =>
            step === "transcoding" && fraction > 0 ? Deferred.succeed(encoding, undefined) : Effect.void
        })
      )
      yield* Deferred.await(encoding)
      assert.lengthOf(yield* mediaProcesses(input), 1)
      yield* Fiber.interrupt(fiber)
      yield* onlyInputLeft(input)
    })
  )

  it.effect("is interrupted at any of its reports and leaves no process and no file", () =>
    Effect.gen(function* () {
      const directory = yield* temporary
      const input = yield* made(directory, "in.mp4", ...picture("testsrc2=s=320x240:r=25:d=1"), ...h264)
      const encoder = yield* Encoder
      const paths = yield* Path.Path
      const { reports } = yield* encode(input, paths.join(yield* temporary, "out"))
      const firstOfEach = reports.filter(
        (report, index) =>
          reports.findIndex(({ fraction, step }) => step === report.step && fraction === report.fraction) === index &&
          (report.fraction === 0 || report.fraction === 1)
      )
      assert.lengthOf(firstOfEach, 8)
      for (const moment of firstOfEach) {
        const reached = yield* Deferred.make<void>()
        const fiber = yield* Effect.forkChild(
          encoder.encodeFile({
            input,
            outDir: paths.join(directory, "out"),
            source: input,
            keep: keepNowhere(token("t")),
            onProgress: ({ fraction, step }) =>
              step === moment.step && fraction === moment.fraction
                ? Effect.andThen(Deferred.succeed(reached, undefined), Effect.never)
                : Effect.void
          })
        )
        yield* Deferred.await(reached)
        yield* Fiber.interrupt(fiber)
        yield* onlyInputLeft(input)
      }
    })
  )

  it.effect("is interrupted while ffmpeg is being started, however far that has come", () =>
    Effect.gen(function* () {
      const input = yield* longInput
      const encoder = yield* Encoder
      const paths = yield* Path.Path
      for (const turns of [0, 1, 2, 4, 8, 16, 32, 64]) {
        const starting = yield* Deferred.make<void>()
        const fiber = yield* Effect.forkChild(
          encoder.encodeFile({
            input,
            outDir: paths.join(paths.dirname(input), "out"),
            source: input,
            keep: keepNowhere(token("t")),
            onProgress: ({ step }) => (step === "transcoding" ? Deferred.succeed(starting, undefined) : Effect.void)
          })
        )
        yield* Deferred.await(starting)
        yield* Effect.repeat(Effect.yieldNow, { times: turns })
        yield* Fiber.interrupt(fiber)
        yield* onlyInputLeft(input)
      }
    })
  )

  it.effect("ends with the failure of the report that it made, as when a lease is lost", () =>
    Effect.gen(function* () {
      const input = yield* longInput
      const encoder = yield* Encoder
      const paths = yield* Path.Path
      const error = yield* Effect.flip(
        encoder.encodeFile({
          input,
          outDir: paths.join(paths.dirname(input), "out"),
          source: input,
          keep: keepNowhere(token("t")),
          onProgress: ({ fraction, step }) =>
            step === "transcoding" && fraction > 0 ? Effect.fail(new LeaseLost()) : Effect.void
        })
      )
      assert.strictEqual(error._tag, "LeaseLost")
      yield* onlyInputLeft(input)
    })
  )

  it.effect("does not touch an earlier output when it fails, and replaces it whole when it succeeds", () =>
    Effect.gen(function* () {
      const directory = yield* temporary
      const encoder = yield* Encoder
      const paths = yield* Path.Path
      const outDir = paths.join(directory, "out")
      const input = yield* made(yield* temporary, "in.mp4", ...picture("testsrc2=s=640x360:r=25:d=1"), ...h264)
      const smaller = yield* made(yield* temporary, "in.mp4", ...picture("testsrc2=s=320x240:r=25:d=1"), ...h264)
      const first = yield* encode(input, outDir, "first")
      const before = yield* filesBelow(outDir)
      yield* Effect.flip(
        encoder.encodeFile({
          input: smaller,
          outDir,
          source: input,
          keep: keepNowhere(token("second")),
          onProgress: ({ step }) => (step === "thumbnail" ? Effect.fail(new LeaseLost()) : Effect.void)
        })
      )
      assert.deepStrictEqual(yield* filesBelow(outDir), before)
      const third = yield* encode(smaller, outDir, "third")
      const after = yield* filesBelow(outDir)
      assert.deepStrictEqual(after, third.result.files.map(({ path }) => path).toSorted())
      const reused = first.result.files.filter(
        ({ cacheControl, path }) => cacheControl.includes("immutable") && after.includes(path)
      )
      assert.deepStrictEqual(reused, [])
      const fileSystem = yield* FileSystem.FileSystem
      assert.deepStrictEqual(yield* fileSystem.readDirectory(directory), ["out"])
    })
  )

  it.effect("refuses to put its output in the place of a directory that holds something else", () =>
    Effect.gen(function* () {
      const fileSystem = yield* FileSystem.FileSystem
      const paths = yield* Path.Path
      const directory = yield* temporary
      yield* fileSystem.writeFileString(paths.join(directory, "thesis.docx"), "years of work")
      const input = yield* made(yield* temporary, "in.mp4", ...picture("testsrc2=s=320x240:r=25:d=0.2"), ...h264)
      const error = yield* Effect.flip(encode(input, directory))
      assert.strictEqual(error._tag, "TranscodeFailed")
      assert.include(error.message, "thesis.docx")
      assert.deepStrictEqual(yield* fileSystem.readDirectory(directory), ["thesis.docx"])
    })
  )

  it.effect(
    "takes even a hanging ffmpeg along when its process is killed outright, and gave it none of our environment",
    () =>
      Effect.gen(function* () {
        const fileSystem = yield* FileSystem.FileSystem
        const input = yield* longInput
        const child = yield* startedProgram(input, {})
        yield* untilEncoding(child)
        const pids = yield* mediaProcesses(input)
        assert.lengthOf(pids, 1)
        const environment = yield* fileSystem.readFileString(`/proc/${pids[0]}/environ`)
        assert.deepStrictEqual(
          environment
            .split("\0")
            .filter((entry) => entry !== "")
            .map((entry) => entry.split("=")[0])
            .toSorted(),
          ["LC_ALL", "PATH"]
        )
        // A running one would end by itself, at its next report to a pipe that nobody reads.
        for (const pid of pids) process.kill(pid, "SIGSTOP")
        // Not `child.kill`, which ends the whole process group.
        process.kill(child.pid, "SIGKILL")
        yield* gone(input)
      })
  )

  it.effect("ends ffmpeg, cleans up and exits with a failure when its process is told to end", () =>
    Effect.gen(function* () {
      const input = yield* longInput
      const child = yield* startedProgram(input, {})
      yield* untilEncoding(child)
      process.kill(child.pid, "SIGTERM")
      const exit = yield* Effect.exit(child.exitCode)
      assert.isFalse(Exit.isSuccess(exit) && Number(exit.value) === 0)
      yield* onlyInputLeft(input)
    })
  )

  it.effect("says how to install ffmpeg where there is none", () =>
    Effect.gen(function* () {
      const input = yield* made(yield* temporary, "in.mp4", ...picture("testsrc2=s=320x240:r=25:d=0.2"), ...h264)
      const child = yield* startedProgram(input, { PATH: yield* temporary })
      const said = yield* child.stdout.pipe(Stream.decodeText(), Stream.mkString)
      assert.include(said, "EncoderUnavailable")
      assert.include(said, "apt-get install ffmpeg")
      yield* onlyInputLeft(input)
    })
  )
})
