import { assert, layer } from "@effect/vitest"
import { Duration, Effect, FileSystem, Path, Queue } from "effect"
import { defaultProbeTimes } from "../src/encoder/MediaProbe.ts"
import { ExitCode } from "../src/ExitCode.ts"
import { encoderWorld, runJob, uploadFile } from "./EncodedJob.ts"
import { canary } from "./encoder/Canary.ts"
import { hostileFiles } from "./encoder/HostileMedia.ts"
import { h264, made, picture, temporary } from "./encoder/MadeMedia.ts"

layer(encoderWorld, { excludeTestServices: true, timeout: "30 seconds" })("a hostile upload", (it) => {
  for (const { bytes, code, name } of hostileFiles) {
    it.effect(`${name} ends its job for good, calls nobody and publishes nothing`, () =>
      Effect.gen(function*() {
        const fs = yield* FileSystem.FileSystem
        const paths = yield* Path.Path
        const { connections, port } = yield* canary
        const secret = yield* made(yield* temporary, "secret.ts", ...picture("testsrc2=s=320x240:r=25:d=1"), ...h264)
        const input = paths.join(yield* temporary, "in.mp4")
        yield* fs.writeFile(input, yield* bytes({ secret, port }))

        const { exit, left, published, record } = yield* runJob(yield* uploadFile(input))
        const { job, video } = record
        assert.strictEqual(exit, ExitCode.badInput)
        assert.deepStrictEqual([job?.status, job?.attempt, video.status], ["REJECTED_BAD_INPUT", 1, "FAILED"])
        assert.include([code].flat(), job?.errorCode)
        assert.match(video.errorReason ?? "", /^[^a-z_]*[가-힣][^a-z_]*$/)
        assert.deepStrictEqual(published, [])
        assert.deepStrictEqual(left, [])
        assert.strictEqual(yield* Queue.size(connections), 0)
        for (const told of [job?.errorMessage, video.errorReason, JSON.stringify(job?.result)]) {
          assert.notInclude(told ?? "", paths.basename(secret))
        }
      }), 60_000)
  }

  it.effect("has less than half a minute to say what it is", () =>
    Effect.sync(() => {
      assert.isBelow(Duration.toSeconds(defaultProbeTimes.look), 30)
      assert.isAtLeast(hostileFiles.length, 15)
    }))
})
