import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { ObjectStore } from "@lectern/domain"
import { temporaryFolder } from "@lectern/harness"
import { Clock, Context, Deferred, Effect, Fiber, Layer, Redacted, type Scope, Stream } from "effect"
import { TestClock } from "effect/testing"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { mkdir, readdir, readFile, stat, symlink, truncate, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { setImmediate } from "node:timers/promises"
import { fileURLToPath } from "node:url"
import { ObjectGrants, ObjectStoreFiles } from "../../src/files/index.ts"
import { objectStoreSuite } from "../conformance/ObjectStoreSuite.ts"

const counter = fileURLToPath(new URL("fixtures/counter.ts", import.meta.url))
const publicUrl = "http://127.0.0.1:8787"
const grants = ObjectGrants.layer(Redacted.make("a secret that is long enough to sign"))
const headers = { contentType: "video/mp4", cacheControl: "no-store" }

const storeIn = (root: string) =>
  ObjectStoreFiles.layer({ root, publicUrl }).pipe(
    Layer.provide(NodeServices.layer),
    Layer.provideMerge(grants)
  )

const build = (root: string) => Layer.build(storeIn(root))

/** Runs the test with a store in a folder of its own. */
const withStore = <A, E>(
  test: (store: ObjectStore["Service"], root: string) => Effect.Effect<A, E, ObjectStore | ObjectGrants | Scope.Scope>
) =>
  Effect.gen(function*() {
    const root = yield* temporaryFolder("objects")
    const context = yield* build(root)
    return yield* Effect.provide(Effect.flatMap(ObjectStore, (objects) => test(objects, root)), context)
  })

const put = (objects: ObjectStore["Service"], key: string, content: string) =>
  objects.put(key, Stream.make(new TextEncoder().encode(content)), { ...headers, size: content.length })

const text = (objects: ObjectStore["Service"], key: string) =>
  Effect.map(Stream.runCollect(objects.get(key)), (chunks) => Buffer.concat(chunks).toString())

const onDisk = <A>(work: () => Promise<A>) => Effect.promise(work)

objectStoreSuite(
  "A folder",
  Layer.unwrap(Effect.map(temporaryFolder("objects"), storeIn)),
  { bigBytes: 9 * 1024 * 1024 }
)

describe("ObjectStoreFiles", () => {
  it.effect("shows a reader the old object until the new one is whole", () =>
    withStore((objects) =>
      Effect.gen(function*() {
        yield* put(objects, "tenants/1/a", "old")
        const started = yield* Deferred.make<void>()
        const goOn = yield* Deferred.make<void>()
        const body = Stream.concat(
          Stream.make(new TextEncoder().encode("ne")),
          Stream.fromEffect(
            Deferred.succeed(started, undefined).pipe(
              Effect.andThen(Deferred.await(goOn)),
              Effect.as(new TextEncoder().encode("w"))
            )
          )
        )
        const writer = yield* Effect.forkChild(objects.put("tenants/1/a", body, { ...headers, size: 3 }))
        yield* Deferred.await(started)
        assert.strictEqual(yield* text(objects, "tenants/1/a"), "old")
        assert.deepStrictEqual(yield* Stream.runCollect(objects.list("tenants/")), ["tenants/1/a"])
        yield* Deferred.succeed(goOn, undefined)
        yield* Fiber.join(writer)
        assert.strictEqual(yield* text(objects, "tenants/1/a"), "new")
      })))

  it.effect("goes on giving a reader the object that it opened when another takes its place", () =>
    withStore((objects) =>
      Effect.gen(function*() {
        const old = "o".repeat(200_000)
        yield* put(objects, "a", old)
        let replaced = false
        const chunks = yield* Stream.runCollect(
          Stream.mapEffect(objects.get("a"), (chunk) => {
            if (replaced) return Effect.succeed(chunk)
            replaced = true
            return Effect.as(put(objects, "a", "new"), chunk)
          })
        )
        assert.strictEqual(Buffer.concat(chunks).toString(), old)
        assert.strictEqual(yield* text(objects, "a"), "new")
      })))

  it.effect("leaves no file behind when a put fails or is interrupted", () =>
    withStore((objects, root) =>
      Effect.gen(function*() {
        yield* Effect.exit(objects.put("a", Stream.make(new Uint8Array(3)), { ...headers, size: 4 }))
        const started = yield* Deferred.make<void>()
        const writer = yield* Effect.forkChild(
          objects.put(
            "b",
            Stream.concat(
              Stream.make(new Uint8Array(3)),
              Stream.fromEffect(Effect.andThen(Deferred.succeed(started, undefined), Effect.never))
            ),
            { ...headers, size: 4 }
          )
        )
        yield* Deferred.await(started)
        assert.strictEqual((yield* onDisk(() => readdir(join(root, "scratch")))).length, 1)
        yield* Fiber.interrupt(writer)
        assert.deepStrictEqual(yield* onDisk(() => readdir(join(root, "scratch"))), [])
        assert.deepStrictEqual(yield* onDisk(() => readdir(join(root, "objects"))), [])
      })))

  it.live("loses no count when several processes count one object up at once", () =>
    withStore((objects, root) =>
      Effect.gen(function*() {
        yield* put(objects, "count", "0")
        const codes = yield* Effect.forEach([1, 2, 3], () =>
          Effect.promise(async () => {
            const child = spawn(process.execPath, [counter, root, "count", "20"], { stdio: ["ignore", "ignore", "inherit"] })
            const [code]: ReadonlyArray<unknown> = await once(child, "exit")
            return code
          }), { concurrency: "unbounded" })
        assert.deepStrictEqual(codes, [0, 0, 0])
        assert.strictEqual(yield* text(objects, "count"), "60")
      })), 60_000)

  /** Every lock of the folder in the hands of the process that runs this one. */
  const holdLocks = (root: string, startedAt: string | null) =>
    onDisk(async () => {
      const holder = JSON.stringify({ pid: process.ppid, startedAt })
      await Promise.all(Array.from({ length: 64 }, (_, lock) => writeFile(join(root, "locks", String(lock)), holder)))
    })

  it.effect("changes nothing while a process that lives holds the lock, and says that a later call may do", () =>
    withStore((objects, root) =>
      Effect.gen(function*() {
        yield* put(objects, "a", "old")
        const { etag } = yield* objects.head("a")
        yield* holdLocks(root, null)
        const changes = [
          objects.putIfUnchanged({ key: "a", etag }, new Uint8Array(3), headers),
          objects.remove("a")
        ]
        for (const change of changes) {
          const waiting = yield* Effect.forkChild(Effect.flip(change))
          yield* Effect.repeat(Effect.andThen(TestClock.adjust("1 second"), onDisk(() => setImmediate())), {
            until: () => waiting.pollUnsafe() !== undefined
          })
          const failure = yield* Fiber.join(waiting)
          assert.isTrue(failure._tag === "ObjectStoreUnavailable" && failure.retryable)
        }
        assert.strictEqual(yield* text(objects, "a"), "old")
        assert.deepStrictEqual(yield* onDisk(() => readdir(join(root, "scratch"))), [])
      })))

  it.effect("takes over the lock of a process that died", () =>
    withStore((objects, root) =>
      Effect.gen(function*() {
        yield* holdLocks(root, "1")
        yield* put(objects, "a", "old")
        const { etag } = yield* objects.head("a")
        yield* objects.putIfUnchanged({ key: "a", etag }, new TextEncoder().encode("new"), headers)
        assert.strictEqual(yield* text(objects, "a"), "new")
      })))

  it.effect("follows no symbolic link out of the folder, to read, write, list or remove", () =>
    withStore((objects, root) =>
      Effect.gen(function*() {
        const outside = yield* temporaryFolder("outside")
        yield* put(objects, "safe/a", "inside")
        yield* onDisk(async () => {
          await writeFile(join(outside, "secret~"), await readFile(join(root, "objects/safe/a~")))
          await symlink(outside, join(root, "objects/escape"))
          await symlink(join(outside, "secret~"), join(root, "objects/link~"))
        })
        const refusals = yield* Effect.forEach([
          Stream.runDrain(objects.get("escape/secret")),
          Stream.runDrain(objects.get("link")),
          put(objects, "escape/new", "x"),
          put(objects, "escape/deep/new", "x"),
          objects.remove("escape/secret"),
          Effect.asVoid(objects.removePrefix("escape/")),
          Stream.runDrain(objects.list("escape/"))
        ], (call) => Effect.flip(call))
        for (const refusal of refusals) assert.strictEqual(refusal._tag, "ObjectStoreUnavailable")
        assert.deepStrictEqual(yield* onDisk(() => readdir(outside)), ["secret~"])
        assert.deepStrictEqual(yield* Stream.runCollect(objects.list("")), ["safe/a"])
      })))

  it.effect("says that a damaged file is damaged, not that there is none", () =>
    withStore((objects, root) =>
      Effect.gen(function*() {
        yield* put(objects, "a", "content")
        yield* onDisk(async () => truncate(join(root, "objects/a~"), (await stat(join(root, "objects/a~"))).size - 1))
        const failure = yield* Effect.flip(objects.head("a"))
        assert.strictEqual(failure._tag, "ObjectStoreUnavailable")
        assert.isFalse(failure._tag === "ObjectStoreUnavailable" && failure.retryable)
      })))

  it.effect("finds everything again after a restart, and sweeps what a dead process left a day ago", () =>
    Effect.gen(function*() {
      const root = yield* temporaryFolder("objects")
      yield* TestClock.setTime(10 * 24 * 60 * 60 * 1000)
      const now = yield* Clock.currentTimeMillis
      yield* Effect.scoped(Effect.flatMap(build(root), (context) => put(Context.get(context, ObjectStore), "a/b", "kept")))
      yield* onDisk(async () => {
        await mkdir(join(root, "scratch", `${now - 25 * 60 * 60 * 1000}-old`))
        await writeFile(join(root, "scratch", `${now - 60 * 60 * 1000}-young`), "still written")
      })
      const again = Context.get(yield* build(root), ObjectStore)
      assert.strictEqual(yield* text(again, "a/b"), "kept")
      assert.deepStrictEqual(yield* onDisk(() => readdir(join(root, "scratch"))), [`${now - 60 * 60 * 1000}-young`])
    }))

  it.effect("signs addresses that grant one key, one method and one content type until they end", () =>
    withStore((objects) =>
      Effect.gen(function*() {
        const signer = yield* ObjectGrants
        const address = yield* objects.presignPut("tenants/1/video/raw/x.mp4", { contentType: "video/mp4", expiresInSeconds: 60 })
        const prefix = `${publicUrl}/api/v1/objects/`
        assert.isTrue(address.startsWith(prefix))
        const now = yield* Clock.currentTimeMillis
        assert.deepStrictEqual(yield* signer.verify(address.slice(prefix.length), now), {
          method: "PUT",
          key: "tenants/1/video/raw/x.mp4",
          contentType: "video/mp4",
          expiresAt: 60
        })
        const download = yield* objects.presignGet("tenants/1/exports/j/r.xlsx", { expiresInSeconds: 60, downloadName: "결과.xlsx" })
        assert.deepStrictEqual(yield* signer.verify(download.slice(prefix.length), now), {
          method: "GET",
          key: "tenants/1/exports/j/r.xlsx",
          downloadName: "결과.xlsx",
          expiresAt: 60
        })
      })))

  it.effect("does not start on a folder that cannot be made", () =>
    Effect.gen(function*() {
      const folder = yield* temporaryFolder("objects")
      yield* onDisk(() => writeFile(join(folder, "file"), ""))
      const failure = yield* Effect.flip(Layer.build(storeIn(join(folder, "file", "root"))))
      assert.strictEqual(failure._tag, "ObjectStoreUnavailable")
    }))
})
