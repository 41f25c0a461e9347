import { assert, describe, it } from "@effect/vitest"
import { LogLineJson, Observability, redact, redacted, redactText } from "@lectern/observability"
import { Cause, Config, ConfigProvider, Effect, Layer, Redacted, Schema } from "effect"
import { expectTypeOf } from "vitest"

const decode = Schema.decodeUnknownEffect(LogLineJson)

/** What a program writes under a configuration, as texts. */
const written = <A, E>(program: Effect.Effect<A, E>, env: Record<string, string> = {}, isTTY = false) =>
  Effect.gen(function*() {
    const texts: Array<string> = []
    const layer = Observability.layer({ service: "test", sink: { isTTY, write: (text) => texts.push(text) } }).pipe(
      Layer.provide(ConfigProvider.layer(ConfigProvider.fromEnv({ env })))
    )
    yield* Effect.exit(Effect.provide(program, layer))
    return texts
  })

const lines = <A, E>(program: Effect.Effect<A, E>, env?: Record<string, string>) =>
  Effect.flatMap(written(program, env), (texts) => Effect.forEach(texts, (text) => decode(text)))

describe("a log line", () => {
  it.effect("is one line of JSON with the ids of the work from its spans, its annotations and itself", () =>
    Effect.gen(function*() {
      const inner = Effect.logInfo("Encoding", { step: "probing", frames: 12 }).pipe(
        Effect.withSpan("Encoder.encode", { attributes: { attempt: 2, tenant: 7 } }),
        Effect.withSpan("JobRecorder.claim", { attributes: { job: "j1", attempt: 1 } }),
        Effect.annotateLogs({ kind: "video_encode" })
      )
      const texts = yield* written(inner)
      assert.lengthOf(texts, 1)
      assert.match(texts[0] ?? "", /^\{[^\n]*\}\n$/)
      const line = yield* decode(texts[0] ?? "")
      assert.deepInclude(line, {
        ts: "1970-01-01T00:00:00.000Z",
        level: "INFO",
        service: "test",
        message: "Encoding",
        tenant: 7,
        job: "j1",
        kind: "video_encode",
        attempt: 2,
        step: "probing",
        span: "Encoder.encode",
        detail: { frames: 12 }
      })
      assert.match(line.trace_id ?? "", /^\w{16,32}$/)
      assert.match(line.span_id ?? "", /^\w{16}$/)
    }))

  it.effect("has no field that has no value", () =>
    Effect.gen(function*() {
      const [line] = yield* lines(Effect.logError("Broken"))
      assert.deepStrictEqual(line, { ts: "1970-01-01T00:00:00.000Z", level: "ERROR", service: "test", message: "Broken" })
    }))

  it.effect("says what went wrong, wherever it was put", () =>
    Effect.gen(function*() {
      const found = yield* lines(Effect.all([
        Effect.logError("A", { error: "away" }),
        Effect.logError("B", new Error("gone")),
        Effect.logError("C", Cause.fail(new Error("lost"))),
        Effect.logError(Cause.die(new TypeError("broken")))
      ]))
      assert.lengthOf(found, 4)
      const wanted = ["away", "Error: gone", "Error: lost", "TypeError: broken"]
      for (const [index, text] of wanted.entries()) assert.include(found[index]?.error ?? "", text)
    }))

  it.effect("takes whatever it is given: no value ends a program", () =>
    Effect.gen(function*() {
      const circle: Record<string, unknown> = {}
      circle["self"] = circle
      const strange = [circle, undefined, Symbol("s"), 1n, Number.NaN, new Map([["k", new Set([1])]]), () => 1, new Date(Number.NaN), "a\nb"]
      const found = yield* lines(Effect.forEach(strange, (value) => Effect.logInfo(value, { value, tenant: "not a number" })))
      assert.lengthOf(found, strange.length)
      assert.isTrue(found.every((line) => line.tenant === undefined && line.detail?.["tenant"] === "not a number"))
    }))

  it.effect("keeps a line break inside of a text from making two lines", () =>
    Effect.gen(function*() {
      const [text] = yield* written(Effect.logInfo("first\nsecond"))
      assert.strictEqual(text?.indexOf("\n"), text === undefined ? -2 : text.length - 1)
    }))

  it.effect("is for people on a terminal", () =>
    Effect.gen(function*() {
      const [text] = yield* written(Effect.logWarning("Skipped", { job: "j1", error: "away", reason: "timeout" }), {}, true)
      // oxlint-disable-next-line no-control-regex
      const plain = text?.replaceAll(/\u001b\[\d+m/g, "")
      assert.strictEqual(plain, "00:00:00.000 WARN  Skipped job=j1 {\"reason\":\"timeout\"}\n  away\n")
    }))
})

describe("the log level", () => {
  const all = Effect.all([
    Effect.logTrace("trace"),
    Effect.logDebug("debug"),
    Effect.logInfo("info"),
    Effect.logWarning("warn"),
    Effect.logError("error")
  ])

  it.effect.each([
    [{}, ["info", "warn", "error"]],
    [{ LOG_LEVEL: "debug" }, ["debug", "info", "warn", "error"]],
    [{ LOG_LEVEL: "WARN" }, ["warn", "error"]],
    [{ LOG_LEVEL: "None" }, []],
    [{ LOG_LEVEL: "All" }, ["trace", "debug", "info", "warn", "error"]]
  ] as const)("is that of LOG_LEVEL, Info without one: %j", ([env, expected]) =>
    Effect.gen(function*() {
      assert.deepStrictEqual((yield* lines(all, env)).map(({ message }) => message), [...expected])
    }))

  it.effect("that nobody knows is an error of the configuration that names the levels", () =>
    Effect.gen(function*() {
      const layer = Observability.layer({ service: "test" }).pipe(
        Layer.provide(ConfigProvider.layer(ConfigProvider.fromEnv({ env: { LOG_LEVEL: "loud" } })))
      )
      const error = yield* Effect.flip(Effect.scoped(Layer.build(layer)))
      assert.instanceOf(error, Config.ConfigError)
      assert.include(error.message, "Warn")
    }))

  it.effect("does not keep a start that is refused from saying why", () =>
    Effect.gen(function*() {
      const written: Array<string> = []
      yield* Effect.logFatal("Cannot start").pipe(
        Effect.provide(Observability.layerOfRefusal({ service: "test", sink: { write: (text) => written.push(text) } })),
        Effect.provide(ConfigProvider.layer(ConfigProvider.fromEnv({ env: { LOG_LEVEL: "loud" } })))
      )
      assert.match(written.join(""), /"level":"FATAL","service":"test","message":"Cannot start"/)
    }))

  it("is, with the address of the collector, all that can be wrong at the start", () => {
    expectTypeOf(Observability.layer).returns.toEqualTypeOf<Layer.Layer<never, Config.ConfigError>>()
  })
})

describe("what must not be shown", () => {
  const jwt = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"
  const confidential = [
    jwt,
    "hunter2",
    "010-1234-5678",
    "01098765432",
    "kim@school.kr",
    "김철수",
    "INSERT INTO students",
    "f00dcafe"
  ]

  it.effect("is in no line, whatever carried it", () =>
    Effect.gen(function*() {
      const program = Effect.all([
        Effect.logInfo(`Bearer ${jwt} of kim@school.kr`),
        Effect.logInfo("Cannot reach", { url: "postgres://lectern:hunter2@db.example/lectern" }),
        Effect.logInfo("Sent", { to: "010-1234-5678", details: [{ deep: { guardianPhone: "01098765432", name: "김철수" } }] }),
        Effect.logError("Refused", new Error(`INSERT INTO students VALUES ('김철수', '010-1234-5678')`)),
        Effect.logInfo("Signed", { url: "https://r2.example/k?X-Amz-Signature=f00dcafe&X-Amz-Date=1", secret: Redacted.make("hunter2") }),
        Effect.logInfo("Asked").pipe(Effect.annotateLogs({ authorization: jwt, "db.query.text": "INSERT INTO students" })),
        Effect.logInfo("Env", { env: ["AUTH_JWT_SECRET=hunter2", "password: hunter2"] }),
        Effect.fail(new Error("password=hunter2")).pipe(Effect.tapCause((cause) => Effect.logError("Ended", cause)))
      ], { mode: "result" })
      for (const isTTY of [false, true]) {
        const text = (yield* written(program, {}, isTTY)).join("")
        assert.include(text, "Ended")
        for (const secret of confidential) assert.notInclude(text, secret)
      }
    }))

  it("is replaced, and what stands around it stays", () => {
    assert.strictEqual(redactText("GET https://x/k?a=1&token=abc&b=2"), `GET https://x/k?a=1&token=${redacted}&b=2`)
    assert.strictEqual(redactText("redis://u:p@h:6379 refused"), `redis://${redacted}@h:6379 refused`)
    assert.strictEqual(redactText("Cannot run SELECT a FROM b WHERE c = 'x'"), "Cannot run [sql]")
    assert.strictEqual(redactText("Cannot run update jobs set a = 1"), "Cannot run [sql]")
    assert.deepStrictEqual(redact({ apiKey: "x", count: 1, at: new Date(0) }), {
      apiKey: redacted,
      count: 1,
      at: "1970-01-01T00:00:00.000Z"
    })
  })

  it("is not seen where it is not", () => {
    for (
      const harmless of [
        "Cannot publish progress for job \"0f8fad5b-d9cb-469f-a165-70867728950e\": revision 3 is not newer than 5",
        "tenants/3/video/hls/42/master.m3u8",
        "2026-11-21T04:04:51.000Z took 1010 ms of 12345678901 bytes",
        "Select a file and update it from the page",
        "The token has expired"
      ]
    ) assert.strictEqual(redactText(harmless), harmless)
  })

  it("is cut off where a text is too long", () => {
    assert.lengthOf(redactText("x".repeat(10_000)), 4_000)
  })
})
