import { assert, describe, it } from "@effect/vitest"
import { temporaryFolder } from "@lectern/harness"
import { Effect } from "effect"
import { importResult, makeBrowser } from "./Browser.ts"
import { madeRoster } from "./madeRoster.ts"
import { madeVideo } from "./madeVideo.ts"
import { type LogLine, type RunningSystem, startSystem } from "./RunningSystem.ts"
import { storedObjects } from "./storedObjects.ts"
import { encodesOf, ffmpegsOf, nothingRuns, processesOf } from "./systemProcesses.ts"
import { type SystemRecord, readRecord } from "./systemRecord.ts"
import { until } from "./until.ts"

const students = 6_000
/** More than an import that is told to stop gets done in the time that it is given. */
const manyStudents = 40_000

const short = madeVideo({ seconds: 2 })
/** Long enough in the making that a test can step in. */
const slow = madeVideo({ seconds: 6, size: "1280x720" })

const dataDirectory = Effect.orDie(temporaryFolder("system"))

/** As a machine that comes back: the same directory, and the same address, which clients know. */
const startAgain = (system: RunningSystem) => startSystem({ data: system.data, port: system.port })

const atStep = (step: string) => (line: LogLine): boolean => line.message === "Step" && line.step === step

/** Stops the system and reads what it has left. */
const ended = Effect.fnUntraced(function*(system: RunningSystem) {
  yield* until("the end of the encodes", encodesOf(system.data), (found) => found.length === 0)
  yield* system.stop
  yield* nothingRuns(system.data)
  return { record: yield* readRecord(system.data), objects: yield* storedObjects(system.data) }
})

const encodes = ({ jobs }: SystemRecord) => jobs.filter(({ kind }) => kind === "video_encode")

/** Every student once, and from the row that it stands in. */
const assertEachOnce = ({ students: found }: SystemRecord, count = students): void => {
  assert.strictEqual(found.length, count)
  assert.strictEqual(new Set(found.map(({ name }) => name)).size, count)
  assert.deepStrictEqual(found.map(({ job_row }) => job_row), Array.from({ length: count }, (_, index) => index + 2))
}

/** One encode's output of one video: nothing of another encode beside it, and nothing twice. */
const assertOneOutput = (objects: ReadonlyArray<string>, id: number): void => {
  const output = objects.filter((name) => name.includes(`tenants/1/video/hls/${id}/`))
  assert.lengthOf(output.filter((name) => name.endsWith("master.m3u8")), 1)
  assert.lengthOf(output.filter((name) => name.endsWith("thumbnail.jpg")), 1)
  const encodes = new Set(output.flatMap((name) => /[0-9a-f]{12}-[0-9a-f]{8}/.exec(name)?.[0] ?? []))
  assert.lengthOf([...encodes], 1, `output of several encodes: ${output.join(" ")}`)
  // A group of segments that was begun twice is there once.
  const withoutClaims = output.map((name) => name.replace(/(?<=-[0-9a-f]{8})-\d+(?=_)/, ""))
  assert.lengthOf([...new Set(withoutClaims)], output.length, `a segment of two claims: ${output.join(" ")}`)
}

const playable = Effect.fnUntraced(function*(url: string | null) {
  const answer = yield* Effect.promise(() => fetch(url ?? ""))
  assert.strictEqual(answer.status, 200)
  assert.match(yield* Effect.promise(() => answer.text()), /^#EXTM3U/)
})

describe.concurrent("a system that is killed and started again", { timeout: 200_000 }, () => {
  it.live("takes up uploads that were announced, put or completed, and an import that was accepted", () =>
    Effect.gen(function*() {
      const system = yield* startSystem({ data: yield* dataDirectory })
      const browser = yield* makeBrowser(system)
      const video = yield* short
      const announced = yield* browser.init()
      const stored = yield* browser.init()
      assert.strictEqual((yield* browser.put(stored, video)).status, 200)
      const completed = yield* browser.init()
      assert.strictEqual((yield* browser.put(completed, video)).status, 200)
      const roster = yield* browser.startImport(madeRoster(students))
      assert.strictEqual((yield* browser.complete(completed.video.id)).status, 200)
      yield* system.kill

      const again = yield* startAgain(system)
      assert.strictEqual((yield* browser.put(announced, video)).status, 200)
      assert.strictEqual((yield* browser.complete(announced.video.id)).status, 200)
      assert.strictEqual((yield* browser.complete(stored.video.id)).status, 200)
      for (const { video: { id } } of [announced, stored, completed]) {
        const end = yield* browser.endedVideo(id)
        assert.strictEqual(end.status, "READY")
        yield* playable(end.hls_url)
      }
      const imported = yield* browser.endedJob(roster)
      assert.strictEqual(imported.status, "DONE")
      assert.strictEqual((yield* importResult(imported)).created, students)
      const { objects, record } = yield* ended(again)
      assertEachOnce(record)
      assert.lengthOf(encodes(record), 3)
      for (const { video: { id } } of [announced, stored, completed]) assertOneOutput(objects, id)
    }))

  for (const step of ["transcoding", "uploading"]) {
    it.live(`ends an encode that was killed at its step "${step}"`, () =>
      Effect.gen(function*() {
        const system = yield* startSystem({ data: yield* dataDirectory })
        const browser = yield* makeBrowser(system)
        const id = yield* browser.uploadVideo(yield* slow)
        yield* system.said(`the step "${step}"`, atStep(step))
        yield* system.kill

        const again = yield* startAgain(system)
        const end = yield* browser.endedVideo(id)
        assert.strictEqual(end.status, "READY")
        yield* playable(end.hls_url)
        const { objects, record } = yield* ended(again)
        assertOneOutput(objects, id)
        // The encode of a killed system may come to its end before it learns that its parent is gone.
        const [encode] = encodes(record)
        assert.isAtMost(encode?.attempt ?? 0, 2)
        assert.strictEqual(encode?.failures, (encode?.attempt ?? 0) - 1)
      }))
  }

  it.live("ends an import that was killed among its rows, with each student once", () =>
    Effect.gen(function*() {
      const system = yield* startSystem({ data: yield* dataDirectory })
      const browser = yield* makeBrowser(system)
      const roster = yield* browser.startImport(madeRoster(students))
      yield* until("rows that were created", browser.jobProgress(roster), ({ progress }) =>
        progress?.step === "creating" && progress.percent > 40, { looks: 600 })
      yield* system.kill

      const again = yield* startAgain(system)
      const imported = yield* browser.endedJob(roster)
      assert.strictEqual(imported.status, "DONE")
      const result = yield* importResult(imported)
      // What the killed attempt created is this job's work too, not somebody else's duplicate.
      assert.deepInclude(result, { created: students, duplicates: 0, failed_rows: 0, total: students })
      const { record } = yield* ended(again)
      assertEachOnce(record)
      assert.deepInclude(record.jobs[0], { status: "DONE", attempt: 2, failures: 1 })
    }))

  it.live("does nothing again that had made its last write", () =>
    Effect.gen(function*() {
      const system = yield* startSystem({ data: yield* dataDirectory })
      const browser = yield* makeBrowser(system)
      const roster = yield* browser.startImport(madeRoster(students))
      yield* system.said("the end of the import", ({ message }) => message === "A job's attempt ended")
      const id = yield* browser.uploadVideo(yield* short)
      yield* system.said("the end of the encode", ({ message }) => message === "The attempt ended")
      yield* system.kill

      const again = yield* startAgain(system)
      assert.strictEqual((yield* browser.video(id)).status, "READY")
      assert.strictEqual((yield* browser.job(roster)).status, "DONE")
      // The sweep has looked at every row once it has moved on a job that came after the start.
      const next = yield* browser.uploadVideo(yield* short)
      assert.strictEqual((yield* browser.endedVideo(next)).status, "READY")
      const { objects, record } = yield* ended(again)
      assertEachOnce(record)
      assertOneOutput(objects, id)
      assert.deepStrictEqual(record.jobs.map(({ attempt, failures, status }) => ({ attempt, failures, status })), [
        { attempt: 1, failures: 0, status: "DONE" },
        { attempt: 1, failures: 0, status: "DONE" },
        { attempt: 1, failures: 0, status: "DONE" }
      ])
    }))
})

describe.concurrent("a system that is told to stop", { timeout: 200_000 }, () => {
  it.live("gives back what is in hand, counts no failure, and ends it after the next start", () =>
    Effect.gen(function*() {
      const system = yield* startSystem({ data: yield* dataDirectory })
      const browser = yield* makeBrowser(system)
      const id = yield* browser.uploadVideo(yield* slow)
      yield* system.said("the step before the transcoding", atStep("probing"))
      const roster = yield* browser.startImport(madeRoster(manyStudents))
      yield* until("rows that were created", browser.jobProgress(roster), ({ progress }) => progress?.step === "creating")
      yield* system.stop
      yield* nothingRuns(system.data)
      const between = yield* readRecord(system.data)
      assert.deepStrictEqual(
        between.jobs.map(({ attempt, failures, kind, status }) => ({ attempt, failures, kind, status })),
        [
          { attempt: 1, failures: 0, kind: "video_encode", status: "RETRYING" },
          { attempt: 1, failures: 0, kind: "student_import", status: "RETRYING" }
        ]
      )

      const again = yield* startAgain(system)
      assert.strictEqual((yield* browser.endedVideo(id)).status, "READY")
      assert.strictEqual((yield* browser.endedJob(roster)).status, "DONE")
      const { objects, record } = yield* ended(again)
      assertEachOnce(record, manyStudents)
      assertOneOutput(objects, id)
      assert.deepStrictEqual(
        record.jobs.map(({ attempt, failures, status }) => ({ attempt, failures, status })),
        [{ attempt: 2, failures: 0, status: "DONE" }, { attempt: 2, failures: 0, status: "DONE" }]
      )
    }))
})

describe.concurrent("an encode whose process is killed", { timeout: 200_000 }, () => {
  it.live("is done again by another one, and leaves no ffmpeg behind", () =>
    Effect.gen(function*() {
      const system = yield* startSystem({ data: yield* dataDirectory })
      const browser = yield* makeBrowser(system)
      const id = yield* browser.uploadVideo(yield* slow)
      const ffmpegs = yield* until("an ffmpeg at work", ffmpegsOf(system.data), (found) => found.length > 0)
      const [encode] = yield* encodesOf(system.data)
      assert.isDefined(encode)
      process.kill(encode?.pid ?? 0, "SIGKILL")
      yield* until("the end of its ffmpeg", processesOf(system.data), (found) =>
        !found.some(({ pid }) => ffmpegs.some((ffmpeg) => ffmpeg.pid === pid)))
      assert.strictEqual((yield* browser.endedVideo(id)).status, "READY")
      const { objects, record } = yield* ended(system)
      assertOneOutput(objects, id)
      assert.deepStrictEqual(encodes(record).map(({ attempt, failures, status }) => ({ attempt, failures, status })), [
        { attempt: 2, failures: 1, status: "DONE" }
      ])
    }))
})
