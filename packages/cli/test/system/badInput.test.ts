import { assert, describe, it } from "@effect/vitest"
import { signToken } from "@lectern/api/tokens"
import { TenantId } from "@lectern/domain"
import { Effect } from "effect"
import { request } from "node:http"
import { type Browser, makeBrowser, refusal, secretOf, send, type UploadInit } from "./Browser.ts"
import { madeRoster, workbookOf, zipOf } from "./madeRoster.ts"
import { madeVideo } from "./madeVideo.ts"
import { type RunningSystem, startSystem } from "./RunningSystem.ts"
import { storedObjects } from "./storedObjects.ts"
import { encodesOf, ffmpegsOf, nothingRuns } from "./systemProcesses.ts"
import { readRecord } from "./systemRecord.ts"
import { until } from "./until.ts"

const text = (content: string): Buffer<ArrayBuffer> => Buffer.from(content)
const korean = /[가-힣]/

/** The first sectors of a compound file: an old workbook, or with `EncryptedPackage` a new one under a password. */
const compoundFile = (streams: ReadonlyArray<string>): Buffer<ArrayBuffer> => {
  const sector = 512
  const file = Buffer.alloc(sector * 3)
  Buffer.from("d0cf11e0a1b11ae1", "hex").copy(file)
  file.writeUInt16LE(0x3e, 24)
  file.writeUInt16LE(3, 26)
  file.writeUInt16LE(0xfffe, 28)
  file.writeUInt16LE(9, 30)
  file.writeUInt16LE(6, 32)
  file.writeUInt32LE(1, 44)
  file.writeUInt32LE(1, 48)
  file.writeUInt32LE(4096, 56)
  file.writeUInt32LE(0xfffffffe, 60)
  file.writeUInt32LE(0xfffffffe, 68)
  file.fill(0xff, 76, sector)
  file.writeUInt32LE(0, 76)
  file.fill(0xff, sector, 2 * sector)
  file.writeUInt32LE(0xfffffffd, sector)
  file.writeUInt32LE(0xfffffffe, sector + 4)
  for (const [index, name] of ["Root Entry", ...streams].entries()) {
    const entry = 2 * sector + index * 128
    file.write(name, entry, "utf16le")
    file.writeUInt16LE((name.length + 1) * 2, entry + 64)
    file.writeUInt8(index === 0 ? 5 : 2, entry + 66)
    file.fill(0xff, entry + 68, entry + 80)
    file.writeUInt32LE(index === 0 && streams.length > 0 ? 1 : 0xffffffff, entry + 76)
    file.writeUInt32LE(0xfffffffe, entry + 116)
  }
  return file
}

interface BadVideo {
  readonly what: string
  readonly bytes: Effect.Effect<Buffer<ArrayBuffer>>
  /** What the teacher has to read. */
  readonly says: RegExp
}

const badVideos: ReadonlyArray<BadVideo> = [
  { what: "a text file", bytes: Effect.succeed(text("안녕하세요\n".repeat(2_000))), says: /영상/ },
  {
    what: "a truncated mp4",
    bytes: Effect.map(madeVideo({ seconds: 2 }), (video) => video.subarray(0, video.length >> 1)),
    says: /파일/
  },
  {
    what: "a playlist that points at other files",
    bytes: Effect.succeed(text("#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n/etc/passwd\n#EXTINF:2,\nhttp://127.0.0.1:1/x\n#EXT-X-ENDLIST\n")),
    says: /영상|재생 목록/
  },
  { what: "a zip", bytes: Effect.succeed(zipOf([{ name: "a.txt", content: "a" }])), says: /영상/ }
]

interface BadWorkbook {
  readonly what: string
  readonly bytes: Buffer<ArrayBuffer>
  readonly says: RegExp
}

const badWorkbooks: ReadonlyArray<BadWorkbook> = [
  { what: "an .xls renamed to .xlsx", bytes: compoundFile(["Workbook"]), says: /xlsx/ },
  { what: "an encrypted workbook", bytes: compoundFile(["EncryptionInfo", "EncryptedPackage"]), says: /암호/ },
  { what: "a broken workbook", bytes: madeRoster(50).subarray(0, 900), says: /손상|열 수|읽을 수/ },
  { what: "a workbook without a header", bytes: workbookOf([["1", "2"], ["3", "4"]]), says: /이름|제목|머리/ }
]

const attemptsOf = (system: RunningSystem, message: string) =>
  system.log().filter((line) => line.message === message).map(({ attempt }) => attempt)

const announceTwoGigabytes = (url: string, headers: Readonly<Record<string, string>>, method: string): Effect.Effect<number> =>
  Effect.callback<number>((resume) => {
    const outgoing = request(url, { method, headers: { ...headers, "content-length": String(2 * 1024 ** 3) } }, (response) => {
      resume(Effect.succeed(response.statusCode ?? 0))
      response.resume()
      outgoing.destroy()
    })
    // Refused before the body came: the connection may go first.
    outgoing.on("error", () => undefined)
    outgoing.flushHeaders()
    return Effect.sync(() => outgoing.destroy())
  })

const uploaded = Effect.fnUntraced(function*(browser: Browser, bytes: Buffer<ArrayBuffer>) {
  const upload = yield* browser.init()
  assert.strictEqual((yield* browser.put(upload, bytes)).status, 200)
  return upload
})

const refusedWith = Effect.fnUntraced(function*(
  answer: Effect.Effect<{ readonly status: number; readonly body: string }>,
  status: number,
  code: string
) {
  const refused = yield* Effect.flatMap(answer, refusal)
  assert.deepInclude(refused, { status, code })
  assert.isAbove(refused.detail.length, 10)
})

describe("bad input on a running system", () => {
  it.live("ends bad files in a terminal state with a reason in Korean, at the first attempt, while a good job runs beside", () =>
    Effect.gen(function*() {
      const system = yield* startSystem()
      const browser = yield* makeBrowser(system)
      const good = yield* browser.uploadVideo(yield* madeVideo({ seconds: 3 }))

      const videos: Array<{ readonly bad: BadVideo; readonly id: number }> = []
      for (const bad of badVideos) videos.push({ bad, id: yield* browser.uploadVideo(yield* bad.bytes) })
      const imports: Array<{ readonly bad: BadWorkbook; readonly id: string }> = []
      for (const bad of badWorkbooks) imports.push({ bad, id: yield* browser.startImport(bad.bytes) })

      for (const { bad, id } of videos) {
        const end = yield* browser.endedVideo(id)
        assert.strictEqual(end.status, "FAILED", bad.what)
        assert.match(end.error_reason ?? "", korean, bad.what)
        assert.match(end.error_reason ?? "", bad.says, bad.what)
        const polled = yield* browser.videoProgress(id)
        assert.deepInclude(polled, { status: "FAILED", error_reason: end.error_reason }, bad.what)
      }
      for (const { bad, id } of imports) {
        const end = yield* browser.endedJob(id)
        assert.strictEqual(end.status, "REJECTED_BAD_INPUT", bad.what)
        assert.match(end.error_message ?? "", korean, bad.what)
        assert.match(end.error_message ?? "", bad.says, bad.what)
        const polled = yield* browser.jobProgress(id)
        assert.deepInclude(polled, { status: "REJECTED_BAD_INPUT", error_message: end.error_message }, bad.what)
      }
      const reasons = [
        ...yield* Effect.forEach(imports, ({ id }) => Effect.map(browser.job(id), ({ error_message }) => error_message))
      ]
      assert.strictEqual(new Set(reasons).size, reasons.length, "each its own reason")
      assert.strictEqual((yield* browser.endedVideo(good)).status, "READY")

      // A failed video may be tried again by hand, which is one more attempt of a job of its own.
      const [failed] = videos
      assert.isDefined(failed)
      const before = attemptsOf(system, "The attempt ended").length
      assert.strictEqual((yield* browser.retry(failed?.id ?? 0)).status, 202)
      yield* until("the end of the retried encode", Effect.sync(() => attemptsOf(system, "The attempt ended").length), (now) =>
        now > before)
      assert.strictEqual((yield* browser.endedVideo(failed?.id ?? 0)).status, "FAILED")

      yield* system.stop
      const { jobs, students } = yield* readRecord(system.data)
      assert.lengthOf(jobs, 1 + badVideos.length + badWorkbooks.length + 1)
      assert.deepStrictEqual(jobs.filter(({ attempt }) => attempt !== 1), [])
      assert.lengthOf(students, 0)
    }), 120_000)

  it.live("refuses bad requests, each in its own words, and disturbs nothing", () =>
    Effect.gen(function*() {
      const system = yield* startSystem()
      const browser = yield* makeBrowser(system)
      const stranger = yield* makeBrowser(system, 2)
      const video = yield* madeVideo({ seconds: 2 })
      const good = yield* browser.uploadVideo(video)
      const roster = yield* browser.startImport(madeRoster(100))

      for (const method of ["GET", "DELETE"]) {
        yield* refusedWith(browser.call(method, "/media/videos/999999/"), 404, "video_not_found")
        yield* refusedWith(stranger.call(method, `/media/videos/${good}/`), 404, "video_not_found")
      }
      yield* refusedWith(stranger.retry(good), 404, "video_not_found")
      yield* refusedWith(stranger.complete(good), 404, "video_not_found")
      yield* refusedWith(stranger.call("GET", `/jobs/${roster}/`), 404, "job_not_found")
      yield* refusedWith(browser.call("GET", "/jobs/no-such-job/"), 404, "job_not_found")
      assert.strictEqual((yield* stranger.videoProgress(good)).status, "UNKNOWN")
      assert.strictEqual((yield* stranger.jobProgress(roster)).status, "UNKNOWN")

      const secret = yield* secretOf(system.data)
      const token = (key: string, now: number) =>
        Effect.promise(() => signToken({ tenantId: TenantId.make(1), secret: key, expiresInSeconds: 60, now }))
      const headers: ReadonlyArray<Record<string, string>> = [
        {},
        { authorization: `Bearer ${yield* token("another secret that is long enough to sign", Date.now())}` },
        { authorization: `Bearer ${yield* token(secret, Date.now() - 3_600_000)}` },
        { authorization: "Bearer nonsense" }
      ]
      for (const path of [`/media/videos/${good}/`, `/media/videos/${good}/progress/`, `/jobs/${roster}/progress/`]) {
        for (const header of headers) {
          const answer = yield* send(`${system.url}/api/v1${path}`, { headers: header })
          assert.strictEqual(answer.status, 401, `${path} ${JSON.stringify(header)}`)
          assert.isAbove((yield* refusal(answer)).detail.length, 10)
        }
      }

      const authorized = { authorization: `Bearer ${browser.token}` }
      const spreadsheets = `${system.url}/api/v1/students/bulk_create_from_excel/`
      const form = { ...authorized, "content-type": "multipart/form-data; boundary=x" }
      assert.strictEqual(yield* announceTwoGigabytes(spreadsheets, form, "POST"), 413)
      const json = { ...authorized, "content-type": "application/json" }
      assert.strictEqual(yield* announceTwoGigabytes(`${system.url}/api/v1/media/videos/upload/init/`, json, "POST"), 413)

      yield* refusedWith(browser.uploadSpreadsheet(Buffer.alloc(0)), 400, "empty_file")
      yield* refusedWith(browser.uploadSpreadsheet(text("이름,연락처\n")), 415, "not_a_spreadsheet")
      yield* refusedWith(browser.uploadSpreadsheet(madeRoster(1), "list.hwp"), 415, "unsupported_extension")

      const upload = yield* browser.init()
      const completed = ({ video: { id } }: UploadInit) => browser.complete(id)
      yield* refusedWith(browser.put(upload, video, "text/plain"), 403, "content_type_mismatch")
      yield* refusedWith(completed(upload), 409, "object_missing")
      assert.strictEqual((yield* browser.put(upload, Buffer.alloc(0))).status, 200)
      yield* refusedWith(completed(upload), 409, "object_empty")
      yield* refusedWith(browser.retry(upload.video.id), 400, "not_uploaded")
      // Put twice, the last one counts.
      assert.strictEqual((yield* browser.put(upload, video)).status, 200)
      assert.strictEqual((yield* completed(upload)).status, 200)
      yield* refusedWith(completed(upload), 409, "not_awaiting_upload")

      assert.strictEqual((yield* browser.endedVideo(good)).status, "READY")
      assert.strictEqual((yield* browser.endedVideo(upload.video.id)).status, "READY")
      assert.strictEqual((yield* browser.endedJob(roster)).status, "DONE")
      yield* system.stop
      assert.deepStrictEqual((yield* readRecord(system.data)).jobs.filter(({ attempt }) => attempt !== 1), [])
    }), 120_000)

  it.live("ends an encode with its video when that is deleted, and refuses to retry one that is under way", () =>
    Effect.gen(function*() {
      const system = yield* startSystem()
      const browser = yield* makeBrowser(system)
      const { video: { id } } = yield* Effect.tap(
        uploaded(browser, yield* madeVideo({ seconds: 12, size: "1280x720" })),
        (upload) => browser.complete(upload.video.id)
      )
      yield* until("an ffmpeg at work", ffmpegsOf(system.data), (found) => found.length > 0)
      yield* refusedWith(browser.retry(id), 409, "already_active")
      assert.strictEqual((yield* browser.remove(id)).status, 204)
      yield* refusedWith(browser.call("GET", `/media/videos/${id}/`), 404, "video_not_found")
      const polled = yield* browser.videoProgress(id)
      assert.strictEqual(polled.status, "FAILED")
      assert.match(polled.error_reason ?? "", korean)
      yield* until("the end of the encode", encodesOf(system.data), (found) => found.length === 0)
      assert.lengthOf(yield* ffmpegsOf(system.data), 0)
      assert.strictEqual((yield* browser.remove(id)).status, 404)
      yield* system.stop
      yield* nothingRuns(system.data)
      assert.deepStrictEqual(yield* storedObjects(system.data), [])
      assert.lengthOf((yield* readRecord(system.data)).jobs, 0)
    }), 120_000)
})
