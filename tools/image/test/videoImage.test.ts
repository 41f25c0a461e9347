import { assert, describe, it } from "@effect/vitest"
import { ClosedPort, SilentPort } from "@lectern/harness"
import { ExitCode } from "@lectern/worker-video"
import { Effect } from "effect"
import { productImages } from "../src/ProductImage.ts"
import { type ContainerOptions, runContainer } from "./Container.ts"
import { madeVideo, sampleVideo } from "./madeVideo.ts"
import { makeWorld, tenant, type WaitingEncode } from "./World.ts"

const run = (options: Omit<ContainerOptions, "image">) => runContainer({ image: productImages.video.tag, ...options })
const encode = ({ env }: WaitingEncode, more: Readonly<Record<string, string>> = {}) => run({ env: { ...env, ...more } })
const short = madeVideo({ seconds: 2, size: "320x180" })

describe("the encode worker's image", () => {
  it.live("encodes the sample, not being root and with nothing to write to but /tmp", () =>
    Effect.gen(function*() {
      const world = yield* makeWorld
      const job = yield* world.uploaded(yield* sampleVideo)
      const container = yield* encode(job)
      assert.strictEqual(yield* container.exitCode, ExitCode.done, container.output())
      const { job: row, video } = yield* world.record(job)
      assert.deepInclude(row, { status: "DONE", attempt: 1 })
      assert.deepInclude(video, { status: "READY", duration: 30 })
      assert.match((yield* world.mirrored(job)) ?? "", /"status":"READY"/)
      const published = yield* world.published(job)
      assert.includeMembers(published, ["master.m3u8", "thumbnail.jpg"])
      assert.isTrue(published.some((key) => key.endsWith(".m4s")), published.join())
    }))

  it.live("gives the job back when it is told to stop, and takes ffmpeg with it", () =>
    Effect.gen(function*() {
      const world = yield* makeWorld
      const job = yield* world.uploaded(yield* madeVideo({ seconds: 40, size: "1280x720" }))
      const container = yield* encode(job)
      yield* container.said(/"step":"transcoding"/)
      yield* container.stop(25)
      assert.strictEqual(yield* container.exitCode, ExitCode.preempted, container.output())
      assert.match(container.output(), /The job was given back/)
      const { job: row } = yield* world.record(job)
      assert.deepInclude(row, { status: "RETRYING", attempt: 1 })
    }))
})
