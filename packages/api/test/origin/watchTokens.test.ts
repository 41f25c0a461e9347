import { assert, it } from "@effect/vitest"
import { JobStore, ObjectStore, TenantId, VideoId } from "@lectern/domain"
import { Faults } from "@lectern/domain/testing"
import { Effect, Redacted, Stream } from "effect"
import { layer, OriginUnderTest, tokenSecret } from "./OriginUnderTest.ts"

const videos = "/api/v1/media/videos/"

const handingOut = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.provide(effect, layer({ watchTokens: { secret: Redacted.make(tokenSecret) } }))

const completed = Effect.gen(function*() {
  const { call } = yield* OriginUnderTest
  const ticket = (yield* call(`${videos}upload/init/`, { body: { title: "1강", filename: "a.mp4" } })).json
  const objects = yield* ObjectStore
  const faults = yield* Faults
  yield* faults.aside(objects.put(ticket.file_key, Stream.make(new Uint8Array(10)), {
    size: 10,
    contentType: "video/mp4",
    cacheControl: "private"
  }))
  const answer = yield* call(`${videos}${ticket.video.id}/upload/complete/`, { method: "POST" })
  assert.strictEqual(answer.status, 200, answer.text)
  return { id: Number(ticket.video.id), answer: answer.json }
})

const bearer = (token: string) => ({ tenant: null, headers: { authorization: `Bearer ${token}` } })

it.live("An accepted upload comes with a token that watches its video, and does nothing else", () =>
  handingOut(Effect.gen(function*() {
    const { call } = yield* OriginUnderTest
    const { answer, id } = yield* completed
    const narrow = bearer(answer.watch_token)
    assert.strictEqual((yield* call(`${videos}${id}/progress/`, narrow)).json.status, "UPLOADED")
    assert.strictEqual((yield* call(`${videos}${id + 1}/progress/`, narrow)).json.status, "UNKNOWN")
    assert.strictEqual((yield* call(`/api/v1/progress/?videos=${id}`, narrow)).json.videos[0].status, "UPLOADED")
    for (
      const [method, path] of [
        ["GET", `${videos}${id}/`], ["GET", videos], ["DELETE", `${videos}${id}/`], ["POST", `${videos}${id}/retry/`],
        ["POST", `${videos}${id}/upload/complete/`], ["GET", "/api/v1/jobs/a/"], ["POST", "/api/v1/students/bulk_create_from_excel/"]
      ] as const
    ) {
      const refused = yield* call(path, { ...narrow, method })
      assert.strictEqual(refused.status, 403, `${method} ${path}: ${refused.text}`)
      assert.strictEqual(refused.json.code, "watch_token")
    }
    const store = yield* JobStore
    const { job } = yield* store.getVideo(TenantId.make(1), VideoId.make(id))
    if (job === null) return assert.fail("There is no encode")
    yield* store.intervene({ tenantId: TenantId.make(1), jobId: job.id }, { _tag: "Cancel", message: "취소" })
    const retried = yield* call(`${videos}${id}/retry/`, { method: "POST" })
    assert.strictEqual(retried.status, 202, retried.text)
    assert.strictEqual((yield* call(`${videos}${id}/progress/`, bearer(retried.json.watch_token))).json.id, id)
  })))

it.live("An accepted import comes with a token that watches its job", () =>
  handingOut(Effect.gen(function*() {
    const { call } = yield* OriginUnderTest
    const form = new FormData()
    form.append("file", new File(["이름,학부모 전화\n"], "a.csv"))
    const accepted = (yield* call("/api/v1/students/bulk_create_from_excel/", { body: form })).json
    const progress = yield* call(`/api/v1/jobs/${accepted.job_id}/progress/`, bearer(accepted.watch_token))
    assert.strictEqual(progress.json.status, "PENDING")
    assert.strictEqual((yield* call("/api/v1/jobs/other/progress/", bearer(accepted.watch_token))).json.status, "UNKNOWN")
  })))

it.live("No token is handed out where the origin is not told to", () =>
  Effect.provide(
    Effect.gen(function*() {
      const { answer } = yield* completed
      assert.notProperty(answer, "watch_token")
    }),
    layer()
  ))
