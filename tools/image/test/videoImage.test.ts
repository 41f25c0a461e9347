import { assert, describe, it } from "@effect/vitest"
import { ClosedPort, RedisServer, SilentPort } from "@lectern/harness"
import { ExitCode } from "@lectern/worker-video"
import { Effect } from "effect"
import { existsSync } from "node:fs"
import { productImages } from "../src/ProductImage.ts"
import { type ContainerOptions, runContainer } from "./Container.ts"
import { madeVideo, sampleVideo } from "./madeVideo.ts"
import { makeWorld, type WaitingEncode, type World } from "./World.ts"

const run = (options: Omit<ContainerOptions, "image">) => runContainer({ image: productImages.video.tag, ...options })
const encode = (
  { env }: WaitingEncode,
  more: Readonly<Record<string, string>> = {},
  options: ReadonlyArray<string> = []
) => run({ env: { ...env, ...more }, options })

const short = madeVideo({ seconds: 2, size: "320x180" })
const long = madeVideo({ seconds: 20, size: "1280x720" })

const withMemory = (mebibytes: number): ReadonlyArray<string> => [
  "--memory",
  `${mebibytes}m`,
  "--memory-swap",
  `${mebibytes}m`
]

/** Runs the encode as often as the sweep would hand it out, until its row has ended. */
const runUntilDone = Effect.fnUntraced(function*(world: World, job: WaitingEncode) {
  let record = yield* world.record(job)
  // Each pass that comes too early ends at once, and says so by 0.
  for (let pass = 0; record.job.status !== "DONE" && pass < 60; pass += 1) {
    const container = yield* encode(job)
    assert.strictEqual(yield* container.exitCode, ExitCode.done, container.output())
    record = yield* world.record(job)
  }
  return record
})

describe("the encode worker's image", () => {
  it.live("encodes the sample, with nothing to write to but its volume", () =>
    Effect.gen(function*() {
      const world = yield* makeWorld
      const job = yield* world.uploaded(yield* sampleVideo)
      const container = yield* encode(job, { LECTERN_WORK_DIR: "/work" }, ["--mount", "type=volume,dst=/work"])
      assert.strictEqual(yield* container.exitCode, ExitCode.done, container.output())
      const { job: row, video } = yield* world.record(job)
      assert.deepInclude(row, { status: "DONE", attempt: 1 })
      assert.deepInclude(video, { status: "READY", duration: 30 })
      assert.match((yield* world.mirrored(job)) ?? "", /"status":"READY"/)
      const published = yield* world.published(job)
      assert.includeMembers(published, ["master.m3u8", "thumbnail.jpg"])
      assert.isTrue(published.some((key) => key.endsWith(".m4s")), published.join())
    }))

  it.live("is not root, and its work directory is its own", () =>
    Effect.gen(function*() {
      const container = yield* run({
        options: ["--entrypoint", "sh", "--mount", "type=volume,dst=/work"],
        command: ["-c", "id -u; touch /work/mine && echo writable; touch /app/other 2>/dev/null || echo sealed"]
      })
      assert.strictEqual(yield* container.exitCode, 0, container.output())
      assert.deepStrictEqual(container.lines(), ["10001", "writable", "sealed"])
    }))

  it.live("gives the job back when it is told to stop, and leaves no process behind", () =>
    Effect.gen(function*() {
      const world = yield* makeWorld
      const job = yield* world.uploaded(yield* long)
      const container = yield* encode(job)
      yield* container.said(/"step":"transcoding"/)
      const processes = yield* container.processes
      assert.isAbove(processes.length, 2, "tini, the worker and ffmpeg")
      // Batch's own patience is 30 s; whoever exceeds it ends with 137.
      yield* container.stop(25)
      assert.strictEqual(yield* container.exitCode, ExitCode.preempted, container.output())
      assert.match(container.output(), /The job was given back/)
      assert.deepStrictEqual(processes.filter((id) => existsSync(`/proc/${id}`)), [])
      assert.deepInclude((yield* world.record(job)).job, { status: "RETRYING", attempt: 1, failures: 0 })
    }))

  it.live("never ends with 0 when it is told to stop before it has the job", () =>
    Effect.gen(function*() {
      const silent = yield* SilentPort.make
      const world = yield* makeWorld
      const job = yield* world.uploaded(yield* short)
      const container = yield* encode(job, { DATABASE_URL: `postgres://nobody@127.0.0.1:${silent.port}/none` })
      yield* container.said(/has started/)
      yield* container.stop(25)
      assert.strictEqual(yield* container.exitCode, ExitCode.preempted, container.output())
    }))

  it.live("says that the memory limit ended ffmpeg, and its next attempt, with more, succeeds", () =>
    Effect.gen(function*() {
      const world = yield* makeWorld
      const job = yield* world.uploaded(yield* madeVideo({ seconds: 5, size: "1920x1080" }))
      const container = yield* encode(job, {}, withMemory(300))
      assert.strictEqual(yield* container.exitCode, ExitCode.outOfMemory, container.output())
      assert.match(container.output(), /The memory limit of 300 MiB was reached/)
      assert.deepInclude((yield* world.record(job)).job, { status: "RETRYING", attempt: 1, errorCode: "out_of_memory" })
      assert.deepInclude((yield* runUntilDone(world, job)).job, { status: "DONE", attempt: 2 })
    }))

  it.live("leaves a job that another attempt can take when the memory limit ends the worker itself", () =>
    Effect.gen(function*() {
      const world = yield* makeWorld
      const job = yield* world.uploaded(yield* short)
      // So little that Node itself is what the system ends, at the latest when ffmpeg begins.
      const container = yield* encode(job, { LECTERN_LEASE_SECONDS: "10" }, withMemory(80))
      assert.strictEqual(yield* container.exitCode, ExitCode.outOfMemory, container.output())
      assert.oneOf((yield* world.record(job)).job.status, ["PENDING", "RUNNING"])
      assert.deepInclude((yield* runUntilDone(world, job)).job, { status: "DONE" })
    }))

  it.live("encodes all the same without Redis: where nobody answers, and where Redis is frozen", () =>
    Effect.gen(function*() {
      const world = yield* makeWorld
      const closed = yield* ClosedPort.make
      const frozen = yield* RedisServer.make()
      yield* frozen.freeze
      for (const port of [closed.port, frozen.port]) {
        const job = yield* world.uploaded(yield* short)
        const container = yield* encode(job, { REDIS_URL: `redis://127.0.0.1:${port}` })
        assert.strictEqual(yield* container.exitCode, ExitCode.done, container.output())
        assert.deepInclude((yield* world.record(job)).video, { status: "READY" })
      }
    }))

  it.live("refuses what is no video, and says so to whoever uploaded it", () =>
    Effect.gen(function*() {
      const world = yield* makeWorld
      const job = yield* world.uploaded(new TextEncoder().encode("#EXTM3U\nfile:///etc/passwd\n"))
      const container = yield* encode(job)
      assert.strictEqual(yield* container.exitCode, ExitCode.badInput, container.output())
      const { job: row, video } = yield* world.record(job)
      assert.strictEqual(row.status, "REJECTED_BAD_INPUT")
      assert.strictEqual(video?.status, "FAILED")
      assert.isNotEmpty(video?.errorReason)
      assert.deepStrictEqual(yield* world.published(job), [])
    }))

  it.live("has nothing to do for a job that does not exist, or that is done", () =>
    Effect.gen(function*() {
      const world = yield* makeWorld
      const job = yield* world.uploaded(yield* short)
      assert.deepInclude((yield* runUntilDone(world, job)).job, { status: "DONE", attempt: 1 })
      const again = yield* encode(job)
      assert.strictEqual(yield* again.exitCode, ExitCode.done, again.output())
      const stranger = yield* encode(job, { VIDEO_JOB_ID: "00000000-0000-4000-8000-000000000000" })
      assert.strictEqual(yield* stranger.exitCode, ExitCode.done, stranger.output())
      assert.match(stranger.output(), /There is nothing to do: the job is gone/)
      assert.strictEqual((yield* world.record(job)).job.attempt, 1)
    }))

  it.live("calls a database that refuses it temporary", () =>
    Effect.gen(function*() {
      const closed = yield* ClosedPort.make
      const world = yield* makeWorld
      const job = yield* world.uploaded(yield* short)
      const container = yield* encode(job, { DATABASE_URL: `postgres://nobody@127.0.0.1:${closed.port}/none` })
      assert.strictEqual(yield* container.exitCode, ExitCode.temporary, container.output())
    }))

  it.live("says all that it wants when it is run with nothing", () =>
    Effect.gen(function*() {
      const container = yield* run({})
      assert.strictEqual(yield* container.exitCode, ExitCode.configuration, container.output())
      for (const name of ["VIDEO_JOB_ID", "VIDEO_TENANT_ID", "DATABASE_URL", "S3_ENDPOINT"]) {
        assert.include(container.output(), name)
      }
    }))

  it.live("names every fault of its configuration at once, and shows no value of it", () =>
    Effect.gen(function*() {
      const container = yield* run({
        env: {
          VIDEO_JOB_ID: "",
          VIDEO_TENANT_ID: "-7",
          DATABASE_URL: "mysql://user:pass-word@host/db",
          REDIS_URL: "somewhere",
          S3_ENDPOINT: "ftp://host",
          S3_SECRET_ACCESS_KEY: "pass-word",
          LECTERN_LEASE_SECONDS: "soon",
          LOG_LEVEL: "loud"
        }
      })
      assert.strictEqual(yield* container.exitCode, ExitCode.configuration, container.output())
      for (
        const name of [
          "VIDEO_JOB_ID",
          "VIDEO_TENANT_ID",
          "DATABASE_URL",
          "REDIS_URL",
          "S3_ENDPOINT",
          "S3_BUCKET",
          "LECTERN_LEASE_SECONDS",
          "LOG_LEVEL"
        ]
      ) assert.include(container.output(), name)
      assert.notInclude(container.output(), "pass-word")
    }))

  it.live("reaps what its processes leave orphaned", () =>
    Effect.gen(function*() {
      const world = yield* makeWorld
      const job = yield* world.uploaded(yield* long)
      const container = yield* encode(job)
      yield* container.said(/"step":"transcoding"/)
      // The inner shell ends at once and orphans its child; a zombie would keep its place in /proc for ever.
      const orphan = `id=$(sh -c 'sleep 0.1 >/dev/null & echo $!'); while [ -d /proc/$id ]; do sleep 0.05; done`
      assert.strictEqual(yield* container.run("timeout", "60", "sh", "-c", orphan), 0)
      yield* container.stop(25)
      yield* container.exitCode
    }))
})
