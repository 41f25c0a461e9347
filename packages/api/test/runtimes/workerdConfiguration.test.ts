/** The settings of workerd, and that its two configurations, Cloudflare's and that of one machine, say the same. */
import { assert, describe, it } from "@effect/vitest"
import { Result, Schema } from "effect"
import { readFileSync } from "node:fs"
import { edgeVariables, restVariables } from "../../src/edge/edgeVariables.ts"
import { readWorkerdSettings } from "../../src/edge/WorkerdSettings.ts"
import { workerdArguments } from "../../src/node/workerdArguments.ts"
import { secret } from "../edge/edgeSubject.ts"

const read = (name: string): string => readFileSync(new URL(`../../${name}`, import.meta.url), "utf8")

const Wrangler = Schema.fromJsonString(Schema.Struct({
  main: Schema.String,
  compatibility_date: Schema.String,
  durable_objects: Schema.Struct({
    bindings: Schema.Array(Schema.Struct({ name: Schema.String, class_name: Schema.String }))
  }),
  migrations: Schema.Array(Schema.Struct({ new_sqlite_classes: Schema.Array(Schema.String) })),
  vars: Schema.Record(Schema.String, Schema.String)
}))

/** The lines of comments are all that JSON does not have. */
const wrangler = Schema.decodeUnknownSync(Wrangler)(read("wrangler.jsonc").replaceAll(/^ *\/\/.*$/gm, ""))
const capnp = read("workerd.capnp")

describe("The configurations of workerd", () => {
  it("bind the same class under the same name, and run the same file on the same date", () => {
    const { bindings } = wrangler.durable_objects
    assert.deepStrictEqual(bindings, [{ name: "EDGE_OBJECT", class_name: "EdgeObject" }])
    assert.deepStrictEqual(wrangler.migrations.flatMap((it) => it.new_sqlite_classes), ["EdgeObject"])
    assert.include(capnp, `(name = "EDGE_OBJECT", durableObjectNamespace = "EdgeObject")`)
    assert.include(capnp, `embed "${wrangler.main}"`)
    assert.include(capnp, `compatibilityDate :Text = "${wrangler.compatibility_date}"`)
  })

  it("bind every variable that the edge reads, but where it listens", () => {
    const wanted = [...edgeVariables, ...restVariables].filter((name) => name !== "HOST" && name !== "PORT")
    const bound = [...capnp.matchAll(/\(name = "(\w+)", fromEnvironment = "(\w+)"\)/g)].map(([, name, variable]) => {
      assert.strictEqual(name, variable)
      return name
    })
    assert.deepStrictEqual(bound.toSorted(), wanted.toSorted())
    for (const name of Object.keys(wrangler.vars)) assert.include(wanted, name)
  })
})

const environment = { AUTH_JWT_SECRET: secret, PORT: "8790" }
const rest = { REDIS_REST_URL: "https://cache.school/path", REDIS_REST_TOKEN: "token" }

const faultsOf = (more: Record<string, string>): string => {
  const settings = readWorkerdSettings({ ...environment, ...more })
  return Result.isFailure(settings) ? settings.failure.join("\n") : ""
}

const argumentsOf = (more: Record<string, string>): string =>
  Result.getOrThrow(
    Result.flatMap(readWorkerdSettings({ ...environment, ...more }), (settings) => workerdArguments(settings, "file"))
  ).join(" ")

describe("The settings of workerd", () => {
  it("lead to a connection by REDIS_URL, and to HTTP by REDIS_REST_URL", () => {
    const held = Result.getOrThrow(readWorkerdSettings({ ...environment, REDIS_URL: "redis://cache.school" }))
    assert.deepStrictEqual(held.mirror, { _tag: "Connection" })
    const fetched = Result.getOrThrow(readWorkerdSettings({ ...environment, ...rest }))
    assert.deepStrictEqual(fetched.mirror, { _tag: "Rest", url: rest.REDIS_REST_URL, token: "token" })
  })

  it("refuse what cannot work or be meant, without showing a secret", () => {
    assert.include(faultsOf({}), "REDIS_URL is not set")
    assert.include(faultsOf({ ...rest, REDIS_URL: "redis://a" }), "both set")
    assert.include(faultsOf({ REDIS_REST_TOKEN: "token" }), "without REDIS_REST_URL")
    assert.include(faultsOf({ REDIS_REST_URL: "https://a" }), "without REDIS_REST_TOKEN")
    for (const url of ["cache.school", "redis://a", "https://user:hidden@a"]) {
      const faults = faultsOf({ ...rest, REDIS_REST_URL: url })
      assert.include(faults, "REDIS_REST_URL is no address")
      assert.notInclude(faults, "hidden")
    }
    const many = faultsOf({ ...rest, AUTH_JWT_SECRET: "short", REDIS_REST_TOKEN: "" })
    for (const fault of ["without REDIS_REST_TOKEN", "AUTH_JWT_SECRET has 5 bytes"]) assert.include(many, fault)
  })

  it("lead to the host of the keys besides, by its own service", () => {
    const redis = { REDIS_URL: "redis://cache.school" }
    assert.match(argumentsOf({ ...redis, AUTH_JWKS_URL: "https://keys.school/jwks" }), / --external-addr=keys-over-tls=keys.school:443 /)
    assert.match(argumentsOf({ ...rest, AUTH_JWKS_URL: "http://127.0.0.1:8080/jwks" }), / --external-addr=keys=127.0.0.1:8080 /)
    for (const name of ["keys", "keys-over-tls"]) assert.include(capnp, `service = "${name}"`)
  })

  it("leave the worker one address to go to, and a network only where it encrypts by itself", () => {
    assert.include(argumentsOf({ REDIS_URL: "redis://[::1]:6380" }), "file redis --socket-addr=http=127.0.0.1:8790 --external-addr=redis=[::1]:6380")
    assert.include(argumentsOf({ ...rest, REDIS_REST_URL: "http://cache:8079/x" }), "file rest --socket-addr=http=127.0.0.1:8790 --external-addr=rest=cache:8079")
    for (const more of [rest, { REDIS_URL: "rediss://cache.school" }]) {
      assert.match(argumentsOf(more), /file tls --socket-addr=\S+ --control-fd=1$/)
    }
  })
})
