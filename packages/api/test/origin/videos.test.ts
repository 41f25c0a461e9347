import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import { JobRecorder, JobStore, ObjectStore, TenantId, VideoId } from "@lectern/domain"
import { EncodeRuns, Faults } from "@lectern/domain/testing"
import { layer, OriginUnderTest } from "./OriginUnderTest.ts"

const videos = "/api/v1/media/videos/"
const tenant = TenantId.make(1)

const videoFields = [
  "id",
  "title",
  "file_key",
  "status",
  "duration",
  "hls_path",
  "hls_url",
  "thumbnail_url",
  "error_reason",
  "can_retry",
  "created_at",
  "updated_at",
  "encoding_progress",
  "encoding_remaining_seconds",
  "encoding_step_index",
  "encoding_step_total",
  "encoding_step_name",
  "encoding_step_percent"
]

const withOrigin = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.provide(effect, layer())

const init = Effect.fnUntraced(function*(title = "1강", tenantNumber = 1) {
  const { call } = yield* OriginUnderTest
  const body = { title, filename: "lecture.MP4" }
  const answer = yield* call(`${videos}upload/init/`, { body, tenant: tenantNumber })
  assert.strictEqual(answer.status, 201, answer.text)
  return answer.json
})

/** What the browser does with the address: the file is in the store. */
const putFile = Effect.fnUntraced(function*(fileKey: string, bytes: number) {
  const objects = yield* ObjectStore
  const faults = yield* Faults
  yield* faults.aside(objects.put(fileKey, Stream.make(new Uint8Array(bytes)), {
    size: bytes,
    contentType: "video/mp4",
    cacheControl: "private"
  }))
})

const uploaded = Effect.fnUntraced(function*(title = "1강", tenantNumber = 1) {
  const { call } = yield* OriginUnderTest
  const ticket = yield* init(title, tenantNumber)
  yield* putFile(ticket.file_key, 10)
  const answer = yield* call(`${videos}${ticket.video.id}/upload/complete/`, { method: "POST", tenant: tenantNumber })
  assert.strictEqual(answer.status, 200, answer.text)
  return answer.json
})

/** The worker's claim of a video's encode. */
const claimEncode = Effect.fnUntraced(function*(videoId: number) {
  const store = yield* JobStore
  const recorder = yield* JobRecorder
  const faults = yield* Faults
  return yield* faults.aside(Effect.gen(function*() {
    const { job } = yield* store.getVideo(tenant, VideoId.make(videoId))
    if (job === null) return assert.fail("The video has no encode")
    const claimed = yield* recorder.claim(tenant, job.id, { owner: "worker", leaseMillis: 60_000 })
    if (claimed._tag !== "Claimed") return assert.fail(claimed._tag)
    return claimed.run
  }))
})

describe("POST upload/init/", () => {
  it.live("registers a video and hands out an address for the file", () =>
    withOrigin(Effect.gen(function*() {
      const ticket = yield* init("  1강  ")
      assert.containsAllKeys(ticket, ["video", "upload_url", "file_key", "content_type"])
      assert.containsAllKeys(ticket.video, videoFields)
      assert.match(ticket.file_key, /^tenants\/1\/video\/raw\/[0-9a-f-]{36}\.mp4$/)
      assert.strictEqual(ticket.upload_url, `memory://put/${ticket.file_key}`)
      assert.strictEqual(ticket.content_type, "video/mp4")
      assert.strictEqual(ticket.video.title, "1강")
      assert.strictEqual(ticket.video.status, "PENDING")
      assert.strictEqual(ticket.video.can_retry, false)
      assert.isNull(ticket.video.hls_url)
      assert.match(ticket.video.created_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
    })))

  it.live("keeps the browser's content type where it is a video's, and the session whatever its type", () =>
    withOrigin(Effect.gen(function*() {
      const { call } = yield* OriginUnderTest
      const store = yield* JobStore
      const answer = yield* call(`${videos}upload/init/`, {
        body: { title: "t", filename: "a.mkv", content_type: "application/octet-stream", session: 12 }
      })
      assert.strictEqual(answer.json.content_type, "application/octet-stream")
      const { video } = yield* store.getVideo(tenant, VideoId.make(answer.json.video.id))
      assert.strictEqual(video.session, "12")
    })))

  const refused: ReadonlyArray<readonly [string, Record<string, unknown>]> = [
    ["no title", { filename: "a.mp4" }],
    ["an empty title", { title: "  ", filename: "a.mp4" }],
    ["a title of 256 characters", { title: "x".repeat(256), filename: "a.mp4" }],
    ["a title that is no text", { title: 7, filename: "a.mp4" }],
    ["no file name", { title: "t" }],
    ["a file name without extension", { title: "t", filename: "lecture" }],
    ["a hidden file", { title: "t", filename: ".mp4" }],
    ["an extension that is no video's", { title: "t", filename: "a.m3u8" }],
    ["the name of an object's method as extension", { title: "t", filename: "a.constructor" }],
    ["a content type that is no video's", { title: "t", filename: "a.mp4", content_type: "text/html" }],
    ["a content type with a line break", { title: "t", filename: "a.mp4", content_type: "video/mp4\r\nx: y" }],
    ["a session that is a list", { title: "t", filename: "a.mp4", session: [] }]
  ]
  for (const [what, body] of refused) {
    it.live(`refuses ${what} with 400 and says why`, () =>
      withOrigin(Effect.gen(function*() {
        const { call } = yield* OriginUnderTest
        const answer = yield* call(`${videos}upload/init/`, { body })
        assert.strictEqual(answer.status, 400, answer.text)
        assert.isString(answer.json.detail)
        assert.notStrictEqual(answer.json.detail, "")
        const listed = yield* call(videos)
        assert.strictEqual(listed.json.count, 0)
      })))
  }
})

describe("POST upload/complete/", () => {
  it.live("makes the video UPLOADED and submits its encode", () =>
    withOrigin(Effect.gen(function*() {
      const runs = yield* EncodeRuns
      const video = yield* uploaded()
      assert.containsAllKeys(video, videoFields)
      assert.strictEqual(video.status, "UPLOADED")
      assert.strictEqual((yield* runs.all).length, 1)
    })))

  it.live("refuses with 409 while the file is missing or empty, and takes it afterwards", () =>
    withOrigin(Effect.gen(function*() {
      const { call } = yield* OriginUnderTest
      const ticket = yield* init()
      const complete = call(`${videos}${ticket.video.id}/upload/complete/`, { method: "POST" })
      const missing = yield* complete
      assert.deepStrictEqual([missing.status, missing.json.code], [409, "object_missing"])
      yield* putFile(ticket.file_key, 0)
      const empty = yield* complete
      assert.deepStrictEqual([empty.status, empty.json.code], [409, "object_empty"])
      yield* putFile(ticket.file_key, 3)
      assert.strictEqual((yield* complete).status, 200)
    })))

  it.live("refuses the second time with 409, and submits nothing again", () =>
    withOrigin(Effect.gen(function*() {
      const { call } = yield* OriginUnderTest
      const runs = yield* EncodeRuns
      const video = yield* uploaded()
      const again = yield* call(`${videos}${video.id}/upload/complete/`, { method: "POST" })
      assert.deepStrictEqual([again.status, again.json.code], [409, "not_awaiting_upload"])
      assert.strictEqual((yield* runs.all).length, 1)
    })))

  it.live("answers 503 when the encode cannot be recorded, and the next try succeeds", () =>
    withOrigin(Effect.gen(function*() {
      const { call } = yield* OriginUnderTest
      const faults = yield* Faults
      const ticket = yield* init()
      yield* putFile(ticket.file_key, 3)
      const complete = call(`${videos}${ticket.video.id}/upload/complete/`, { method: "POST" })
      yield* faults.store(["ok", "refused"])
      const failed = yield* complete
      assert.strictEqual(failed.status, 503)
      assert.strictEqual(failed.json.code, "database_unavailable")
      assert.match(failed.json.detail, /^Cannot record the encode/)
      assert.strictEqual(failed.headers.get("retry-after"), "5")
      assert.strictEqual((yield* complete).status, 200)
    })))

  it.live("answers 503 when the object store is away", () =>
    withOrigin(Effect.gen(function*() {
      const { call } = yield* OriginUnderTest
      const faults = yield* Faults
      const ticket = yield* init()
      yield* faults.script("objects", ["refused"])
      const failed = yield* call(`${videos}${ticket.video.id}/upload/complete/`, { method: "POST" })
      assert.deepStrictEqual([failed.status, failed.json.code], [503, "objects_unavailable"])
    })))

  it.live("answers 200 when the encode cannot be submitted, and leaves it to the sweep", () =>
    withOrigin(Effect.gen(function*() {
      const faults = yield* Faults
      const store = yield* JobStore
      yield* faults.script("runtime", ["refused"])
      const video = yield* uploaded()
      assert.strictEqual(video.status, "UPLOADED")
      const left = yield* store.findUndispatched({ olderThanMillis: 60_000, limit: 10 })
      assert.strictEqual(left.length, 1)
    })))

  it.live("answers 200 whatever the mirror does", () =>
    withOrigin(Effect.gen(function*() {
      const faults = yield* Faults
      yield* faults.mirror(["refused", "hang"])
      assert.strictEqual((yield* uploaded()).status, "UPLOADED")
      assert.strictEqual(yield* faults.left("mirror"), 0)
    })))
})

describe("GET /media/videos/", () => {
  it.live("lists 20 a page, newest first, with links to the neighbours", () =>
    withOrigin(Effect.gen(function*() {
      const { call, url } = yield* OriginUnderTest
      for (let index = 1; index <= 21; index++) yield* init(`lecture ${index}`)
      const first = yield* call(videos)
      assert.strictEqual(first.status, 200)
      assert.strictEqual(first.json.count, 21)
      assert.strictEqual(first.json.results.length, 20)
      assert.strictEqual(first.json.results[0].title, "lecture 21")
      assert.containsAllKeys(first.json.results[0], videoFields)
      assert.strictEqual(first.json.next, `${url}${videos}?page=2`)
      assert.isNull(first.json.previous)
      const second = yield* call(first.json.next.slice(url.length))
      assert.deepStrictEqual(second.json.results.map((video: { readonly title: string }) => video.title), ["lecture 1"])
      assert.isNull(second.json.next)
      assert.strictEqual(second.json.previous, `${url}${videos}?page=1`)
      const beyond = yield* call(`${videos}?page=9`)
      assert.deepStrictEqual(
        [beyond.status, beyond.json.results, beyond.json.next, beyond.json.previous],
        [200, [], null, `${url}${videos}?page=2`]
      )
    })))

  it.live("searches titles, and keeps the search in its links", () =>
    withOrigin(Effect.gen(function*() {
      const { call, url } = yield* OriginUnderTest
      for (let index = 1; index <= 21; index++) yield* init(`미적분 & ${index}`)
      yield* init("Geometry")
      const found = yield* call(`${videos}?search=${encodeURIComponent("미적분 &")}`)
      assert.strictEqual(found.json.count, 21)
      const next = yield* call(found.json.next.slice(url.length))
      assert.strictEqual(next.json.results.length, 1)
      assert.strictEqual((yield* call(`${videos}?search=geo`)).json.count, 1)
      assert.strictEqual((yield* call(`${videos}?search=`)).json.count, 22)
    })))

  for (const query of ["page=0", "page=-1", "page=1e3", "page=x", "page=", "page=1&page=2", "page=9999999"]) {
    it.live(`refuses ?${query} with 400`, () =>
      withOrigin(Effect.gen(function*() {
        const { call } = yield* OriginUnderTest
        const answer = yield* call(`${videos}?${query}`)
        assert.strictEqual(answer.status, 400, answer.text)
        assert.include(answer.json.detail, "\"page\"")
      })))
  }
})

describe("GET /media/videos/{id}/", () => {
  it.live("shows how far the encode is, from the mirror", () =>
    withOrigin(Effect.gen(function*() {
      const { call } = yield* OriginUnderTest
      const { id } = yield* uploaded()
      const run = yield* claimEncode(id)
      yield* run.record({ _tag: "Advance", step: "transcoding" })
      const { json } = yield* call(`${videos}${id}/`)
      assert.strictEqual(json.status, "PROCESSING")
      assert.deepInclude(json, {
        encoding_progress: 50,
        encoding_remaining_seconds: null,
        encoding_step_index: 4,
        encoding_step_total: 7,
        encoding_step_name: "인코딩",
        encoding_step_percent: 0
      })
    })))

  for (const fault of ["refused", "hang", "timeout"] as const) {
    it.live(`shows progress as unknown when the mirror's reader answers "${fault}"`, () =>
      withOrigin(Effect.gen(function*() {
        const { call } = yield* OriginUnderTest
        const faults = yield* Faults
        const { id } = yield* uploaded()
        const run = yield* claimEncode(id)
        yield* run.record({ _tag: "Advance", step: "transcoding" })
        yield* faults.script("reader", [fault])
        const { status, json } = yield* call(`${videos}${id}/`)
        assert.deepStrictEqual([status, json.status, json.encoding_progress], [200, "PROCESSING", null])
        assert.strictEqual(yield* faults.left("reader"), 0)
      })))
  }

  it.live("leaves a hanging mirror alone for a while", () =>
    withOrigin(Effect.gen(function*() {
      const { call } = yield* OriginUnderTest
      const faults = yield* Faults
      const { id } = yield* uploaded()
      yield* claimEncode(id)
      yield* faults.script("reader", ["hang", "hang"])
      yield* call(`${videos}${id}/`)
      yield* call(`${videos}${id}/`)
      assert.strictEqual(yield* faults.left("reader"), 1)
    })))

  it.live("shows nothing of a run before the present one", () =>
    withOrigin(Effect.gen(function*() {
      const { call } = yield* OriginUnderTest
      const faults = yield* Faults
      const { id } = yield* uploaded()
      const run = yield* claimEncode(id)
      yield* run.record({ _tag: "Advance", step: "transcoding" })
      // The mirror misses the next write and goes on showing the last.
      yield* faults.mirror(["refused"])
      yield* run.record({ _tag: "Advance", step: "uploading" })
      const { json } = yield* call(`${videos}${id}/`)
      assert.isNull(json.encoding_progress)
    })))

  it.live("shows where to play a finished video", () =>
    withOrigin(Effect.gen(function*() {
      const { call } = yield* OriginUnderTest
      const { id } = yield* uploaded()
      const run = yield* claimEncode(id)
      const hlsPath = `tenants/1/video/hls/${id}/master.m3u8`
      const thumbnail = `tenants/1/video/hls/${id}/thumbnail.jpg`
      const storyboard = `tenants/1/video/hls/${id}/storyboard/a.vtt`
      const kept = { number: "7.4", title: "Video segments begin with a key frame", kept: true, measured: "11 of 11" }
      assert.deepStrictEqual((yield* call(`${videos}${id}/rules/`)).json, { id, rules: null, checked: 0, broken: 0 })
      yield* run.record({ _tag: "Advance", step: "uploading" })
      yield* run.record({
        _tag: "Succeed",
        result: {
          hls_path: hlsPath,
          thumbnail_path: thumbnail,
          duration: 61,
          variants: ["720p"],
          storyboard_path: storyboard,
          non_standard_input_reasons: ["rotation:90"],
          rules: [kept, { ...kept, number: "7.5", kept: false }]
        }
      })
      const { json: report } = yield* call(`${videos}${id}/rules/`)
      assert.deepStrictEqual(report, {
        id,
        rules: [kept, { ...kept, number: "7.5", kept: false }],
        checked: 2,
        broken: 1
      })
      assert.strictEqual((yield* call(`${videos}${id}/rules/`, { tenant: 2 })).status, 404)
      const { json } = yield* call(`${videos}${id}/`)
      assert.deepInclude(json, {
        status: "READY",
        duration: 61,
        hls_path: hlsPath,
        hls_url: `https://play.example/${hlsPath}`,
        thumbnail_url: `https://play.example/${thumbnail}`,
        storyboard_url: `https://play.example/${storyboard}`,
        non_standard_input_reasons: ["rotation:90"],
        error_reason: null,
        can_retry: true,
        encoding_progress: null
      })
    })))

  it.live("answers 503 when the database is away, and says nothing of why", () =>
    withOrigin(Effect.gen(function*() {
      const { call, logs } = yield* OriginUnderTest
      const faults = yield* Faults
      yield* faults.store(["refused"])
      const answer = yield* call(`${videos}1/`)
      assert.strictEqual(answer.status, 503)
      assert.deepStrictEqual(Object.keys(answer.json).toSorted(), ["code", "detail"])
      assert.notInclude(answer.text, "InjectedFault")
      const errors = logs.filter((line) => line.level === "Error").map((line) => JSON.stringify(line.message))
      assert.isTrue(errors.some((text) => text.includes("InjectedFault")))
    })))
})

describe("POST retry/", () => {
  it.live("starts a new encode of a failed video", () =>
    withOrigin(Effect.gen(function*() {
      const { call } = yield* OriginUnderTest
      const runs = yield* EncodeRuns
      const { id } = yield* uploaded()
      const run = yield* claimEncode(id)
      yield* run.record({ _tag: "Reject", code: "not_a_video", message: "영상이 아닙니다" })
      const failed = yield* call(`${videos}${id}/`)
      assert.deepInclude(failed.json, { status: "FAILED", error_reason: "영상이 아닙니다", can_retry: true })
      const retried = yield* call(`${videos}${id}/retry/`, { method: "POST" })
      assert.strictEqual(retried.status, 202, retried.text)
      assert.isString(retried.json.detail)
      const job = yield* call(`/api/v1/jobs/${retried.json.job_id}/`)
      assert.strictEqual(job.json.status, "PENDING")
      assert.strictEqual((yield* runs.all).length, 2)
      const again = yield* call(`${videos}${id}/`)
      assert.deepInclude(again.json, { status: "UPLOADED", error_reason: null, can_retry: false })
    })))

  it.live("refuses while an encode is on its way (409) and before the upload (400)", () =>
    withOrigin(Effect.gen(function*() {
      const { call } = yield* OriginUnderTest
      const { id } = yield* uploaded()
      const active = yield* call(`${videos}${id}/retry/`, { method: "POST" })
      assert.deepStrictEqual([active.status, active.json.code], [409, "already_active"])
      const ticket = yield* init()
      const early = yield* call(`${videos}${ticket.video.id}/retry/`, { method: "POST" })
      assert.deepStrictEqual([early.status, early.json.code], [400, "not_uploaded"])
    })))

  it.live("answers 503 when the encode cannot be recorded", () =>
    withOrigin(Effect.gen(function*() {
      const { call } = yield* OriginUnderTest
      const faults = yield* Faults
      const { id } = yield* uploaded()
      yield* faults.store(["refused"])
      assert.strictEqual((yield* call(`${videos}${id}/retry/`, { method: "POST" })).status, 503)
    })))
})

describe("DELETE /media/videos/{id}/", () => {
  it.live("stops the encode and removes the file and everything published before it answers", () =>
    withOrigin(Effect.gen(function*() {
      const { call } = yield* OriginUnderTest
      const runs = yield* EncodeRuns
      const objects = yield* ObjectStore
      const video = yield* uploaded()
      yield* putFile(`tenants/1/video/hls/${video.id}/master.m3u8`, 4)
      const answer = yield* call(`${videos}${video.id}/`, { method: "DELETE" })
      assert.deepStrictEqual([answer.status, answer.text], [204, ""])
      assert.deepStrictEqual((yield* runs.all).map((run) => run.state._tag), ["Ended"])
      assert.deepStrictEqual(yield* Stream.runCollect(objects.list("tenants/1/")), [])
      assert.strictEqual((yield* call(`${videos}${video.id}/`)).status, 404)
      assert.strictEqual((yield* call(`${videos}${video.id}/`, { method: "DELETE" })).status, 404)
    })))

  it.live("answers 503 when the objects cannot be removed; the video is hidden, and said again it is finished", () =>
    withOrigin(Effect.gen(function*() {
      const { call } = yield* OriginUnderTest
      const faults = yield* Faults
      const video = yield* uploaded()
      yield* faults.script("objects", ["refused"])
      const failed = yield* call(`${videos}${video.id}/`, { method: "DELETE" })
      assert.deepStrictEqual([failed.status, failed.json.code], [503, "objects_unavailable"])
      assert.strictEqual((yield* call(`${videos}${video.id}/`)).status, 404)
      assert.strictEqual((yield* call(`${videos}${video.id}/`, { method: "DELETE" })).status, 204)
    })))
})

describe("ids and tenants", () => {
  const endpoints = [
    ["GET", ""],
    ["DELETE", ""],
    ["POST", "retry/"],
    ["POST", "upload/complete/"]
  ] as const

  for (const [method, suffix] of endpoints) {
    it.live(`${method} {id}/${suffix} answers 404 for an unknown video and for another tenant's`, () =>
      withOrigin(Effect.gen(function*() {
        const { call } = yield* OriginUnderTest
        const foreign = yield* uploaded("secret", 2)
        for (const id of [foreign.id, 999_999_999]) {
          const answer = yield* call(`${videos}${id}/${suffix}`, { method })
          assert.deepStrictEqual([answer.status, answer.json.code], [404, "video_not_found"])
          assert.notInclude(answer.text, "secret")
        }
        const untouched = yield* call(`${videos}${foreign.id}/`, { tenant: 2 })
        assert.deepStrictEqual([untouched.status, untouched.json.status], [200, "UPLOADED"])
      })))

    for (const id of ["0", "000", "-1", "1e3", "+1", "1.0", "abc", "%20", "9".repeat(31), "1%00", "١"]) {
      it.live(`${method} {id}/${suffix} answers 400 for the id ${id}`, () =>
        withOrigin(Effect.gen(function*() {
          const { call } = yield* OriginUnderTest
          const answer = yield* call(`${videos}${id}/${suffix}`, { method })
          assert.strictEqual(answer.status, 400, answer.text)
          assert.include(answer.json.detail, "positive integer")
        })))
    }

    it.live(`${method} {id}/${suffix} answers 404 for the last exact number, and 400 beyond`, () =>
      withOrigin(Effect.gen(function*() {
        const { call } = yield* OriginUnderTest
        assert.strictEqual((yield* call(`${videos}9007199254740992/${suffix}`, { method })).status, 400)
        assert.strictEqual((yield* call(`${videos}9007199254740991/${suffix}`, { method })).status, 404)
      })))
  }

  it.live("lists no other tenant's videos, not in the count either", () =>
    withOrigin(Effect.gen(function*() {
      const { call } = yield* OriginUnderTest
      yield* init("theirs", 2)
      yield* init("ours", 1)
      const { json } = yield* call(videos)
      assert.deepStrictEqual([json.count, json.results.length, json.results[0].title], [1, 1, "ours"])
    })))
})

describe("a client that hangs up", () => {
  it.live("does not keep its completed upload from being published and submitted", () =>
    withOrigin(Effect.gen(function*() {
      const { handler, token, logs } = yield* OriginUnderTest
      const faults = yield* Faults
      const runs = yield* EncodeRuns
      const ticket = yield* init()
      yield* putFile(ticket.file_key, 3)
      yield* faults.mirror(["hang"])
      const client = new AbortController()
      const request = new Request(`http://localhost${videos}${ticket.video.id}/upload/complete/`, {
        method: "POST",
        headers: { authorization: `Bearer ${yield* token(1)}` },
        signal: client.signal
      })
      const answered = handler(request)
      // The row is committed, and the mirror does not answer: now the client goes.
      yield* Effect.repeat(Effect.andThen(Effect.yieldNow, faults.left("mirror")), { until: (left) => left === 0 })
      client.abort()
      yield* Effect.promise(() => answered)
      assert.strictEqual((yield* runs.all).length, 1)
      assert.isTrue(JSON.stringify(logs).includes("\"status\":499"))
    })))
})
