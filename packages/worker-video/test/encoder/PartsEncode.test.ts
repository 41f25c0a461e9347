import { NodeServices } from "@effect/platform-node"
import { assert, layer } from "@effect/vitest"
import { Deferred, Duration, Effect, Fiber, FileSystem, Layer, Path, Schema } from "effect"
import { defaultEncoderOptions, Encoder, type EncodeResult } from "../../src/encoder/index.ts"
import { keptInMemory, type KeptInMemory } from "./KeptInMemory.ts"
import { encode, encoderLayer, h264, made, output, picture, temporary, token, tone } from "./MadeMedia.ts"
import { mediaProcesses } from "./Processes.ts"

class Killed extends Schema.TaggedError<Killed>()("Killed", {}) {}

/** Forty seconds of small pictures in six groups: one full segment makes a group, and what is left goes with the last. */
const source = Effect.gen(function* () {
  return yield* made(
    yield* temporary,
    "in.mp4",
    ...picture("testsrc2=s=640x360:r=15:d=40"),
    ...tone(40),
    ...h264,
    ..."-g 37 -bf 2 -c:a aac".split(" ")
  )
})

const variantsOf = (result: EncodeResult) => result.variants.map(({ name }) => name)

/** When each packet of a rendition is decoded and shown, and whether decoding can begin with it. */
const packets = (directory: string, rendition: string) =>
  output("ffprobe", [
    "-v",
    "error",
    "-show_entries",
    "packet=pts,dts,duration,flags",
    "-of",
    "csv",
    `${directory}/${rendition}/index.m3u8`
  ])

/** Asserts that two encodes cannot be told apart by their times, their frames and their headers. */
const sameStreams = Effect.fnUntraced(function* (one: string, other: string, result: EncodeResult) {
  const fileSystem = yield* FileSystem.FileSystem
  for (const rendition of [...variantsOf(result), "audio"]) {
    assert.strictEqual(yield* packets(other, rendition), yield* packets(one, rendition), rendition)
    const init = Effect.fnUntraced(function* (directory: string) {
      const names = yield* fileSystem.readDirectory(`${directory}/${rendition}`)
      const inits = names.filter((name) => name.endsWith("_init.mp4"))
      assert.lengthOf(inits, 1)
      return yield* fileSystem.readFile(`${directory}/${rendition}/${inits[0]}`)
    })
    assert.deepStrictEqual(yield* init(other), yield* init(one))
  }
})

/** Encodes until `part` is kept and is then killed: nothing that is not kept survives. */
const killedAfter = Effect.fnUntraced(function* (input: string, outDir: string, keeper: KeptInMemory, part: string) {
  const encoder = yield* Encoder
  const reached = yield* Deferred.make<void>()
  const fiber = yield* Effect.forkChild(
    encoder.encodeFile({
      input,
      outDir,
      source: input,
      keep: (key) =>
        Effect.map(keeper.keep(key), (kept) => ({
          ...kept,
          keep: (name: string, claim: number, directory: string, files: ReadonlyArray<string>) =>
            Effect.andThen(
              kept.keep(name, claim, directory, files),
              name === part ? Deferred.succeed(reached, undefined) : Effect.void
            )
        })),
      onProgress: () => Effect.void
    })
  )
  yield* Deferred.await(reached)
  yield* Fiber.interrupt(fiber)
})

layer(encoderLayer, { excludeTestServices: true })("an encode in parts", (it) => {
  it.effect("that was killed twice encodes no finished group again and ends with the same frames at the same times", () =>
    Effect.gen(function* () {
      const input = yield* source
      const paths = yield* Path.Path
      const whole = paths.join(yield* temporary, "whole")
      const { result } = yield* encode(input, whole, "whole")

      const outDir = paths.join(yield* temporary, "out")
      const keeper = yield* keptInMemory(token("kept"))
      const finishedAtKills: Array<ReadonlyArray<string>> = []
      for (const part of ["pictures-00001", "pictures-00003"]) {
        yield* killedAfter(input, outDir, keeper, part)
        finishedAtKills.push([...keeper.kept.keys()])
      }
      const encoder = yield* Encoder
      const resumed = yield* encoder.encodeFile({
        input,
        outDir,
        source: input,
        keep: keeper.keep,
        onProgress: () => Effect.void
      })
      const claims = (part: string) => keeper.claimed.filter((one) => one === part).length
      // A kept part is never claimed again; each kill costs the group at work, and the sound if it was not kept yet.
      for (const part of finishedAtKills[0] ?? []) assert.strictEqual(claims(part), 1, part)
      const again = keeper.claimed.length - keeper.kept.size
      assert.isAtMost(again, 4)
      assert.strictEqual(keeper.keys.size, 1)
      assert.strictEqual(resumed.frames, result.frames)
      assert.strictEqual(resumed.durationSeconds, result.durationSeconds)
      yield* sameStreams(whole, outDir, result)
    })
  )

  it.effect("leaves the groups that somebody else holds, goes on behind them, and takes them from where they are kept", () =>
    Effect.gen(function* () {
      const input = yield* source
      const paths = yield* Path.Path
      const encoder = yield* Encoder
      const keeper = yield* keptInMemory(token("shared"))
      const request = { input, source: input, keep: keeper.keep, onProgress: () => Effect.void }
      for (const part of ["pictures-00000", "pictures-00001", "sound"]) keeper.others.add(part)
      yield* encoder.encodeFreeParts(request)
      const theirs = [...keeper.kept.keys()]
      assert.sameMembers(theirs, ["pictures-00002", "pictures-00003", "pictures-00004", "pictures-00005"])
      assert.lengthOf(keeper.claimed, theirs.length)
      keeper.others.clear()
      const outDir = paths.join(yield* temporary, "out")
      const result = yield* encoder.encodeFile({ ...request, outDir })
      assert.sameMembers(keeper.fetched, theirs)
      assert.sameMembers(keeper.claimed.slice(theirs.length), ["pictures-00000", "pictures-00001", "sound"])
      const whole = paths.join(yield* temporary, "whole")
      yield* encode(input, whole, "whole")
      yield* sameStreams(whole, outDir, result)
    })
  )

  it.effect("keeps what is finished when it fails, and says what failed", () =>
    Effect.gen(function* () {
      const input = yield* source
      const paths = yield* Path.Path
      const encoder = yield* Encoder
      const keeper = yield* keptInMemory(token("kept"))
      const error = yield* Effect.flip(
        encoder.encodeFile({
          input,
          outDir: paths.join(yield* temporary, "out"),
          source: input,
          keep: keeper.keep,
          onProgress: ({ fraction, step }) => (step === "transcoding" && fraction > 0.5 ? new Killed() : Effect.void)
        })
      )
      assert.strictEqual(error._tag, "Killed")
      assert.includeMembers([...keeper.kept.keys()], ["pictures-00000", "pictures-00001"])
    })
  )

  it.effect("starts an ffmpeg again that stands still, once, from the group at work", () =>
    Effect.gen(function* () {
      const input = yield* source
      const keeper = yield* keptInMemory(token("stalled"))
      const stopped = new Set<number>()
      const outDir = yield* temporary
      const run = Effect.gen(function* () {
        const encoder = yield* Encoder
        return yield* encoder.encodeFile({
          input,
          outDir,
          source: input,
          keep: keeper.keep,
          onProgress: ({ fraction, step }) =>
            Effect.gen(function* () {
              if (step !== "transcoding" || fraction < 0.4 || stopped.size > 0) return
              for (const pid of yield* mediaProcesses(input)) {
                stopped.add(pid)
                process.kill(pid, "SIGSTOP")
              }
            }).pipe(Effect.provide(NodeServices.layer), Effect.orDie)
        })
      })
      const impatient = Encoder.layerFfmpegWith({
        ...defaultEncoderOptions,
        stall: Duration.seconds(8),
        grace: Duration.millis(200)
      })
      const result = yield* Effect.provide(run, impatient.pipe(Layer.provide(NodeServices.layer)))
      assert.strictEqual(result.frames, 600)
      assert.isAbove(stopped.size, 0)
      // The group at work was claimed twice, and no finished one.
      const again = keeper.claimed.filter((part, index) => keeper.claimed.indexOf(part) !== index && part !== "sound")
      assert.lengthOf(again, 1)
    })
  )
})
