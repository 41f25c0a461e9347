import { Config, Effect, Layer, Option, Redacted, Schema } from "effect"
import type { SqlClient } from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import { layerNeon } from "./SqlClientNeon.ts"
import { layerTcp } from "./SqlClientTcp.ts"

/** `DATABASE_URL` is no Postgres URL. The value is left out: it holds a password. */
export class DatabaseUrlInvalid extends Schema.TaggedError<DatabaseUrlInvalid>()("DatabaseUrlInvalid", {
  detail: Schema.String
}) {
  override get message(): string {
    return `Cannot use DATABASE_URL: ${this.detail}`
  }
}

const DatabaseDriver = Schema.Literals(["tcp", "neon"])

/** A proxy of one's own before a Postgres, as `host:port/path?address=`, has neither TLS nor a clear-text password. */
const neonProxy = Config.option(Config.String("NEON_WS_PROXY"))

/**
 * The driver that a database wants: Neon's for a host of `neon.tech`, TCP for every other. `DATABASE_DRIVER` (`tcp`
 * or `neon`) overrules; `NEON_WS_PROXY` (a `host:port/path?address=`, to which the database's `host:port` is
 * appended) puts a WebSocket proxy of one's own in Neon's place.
 */
export const layerFor = (
  url: Redacted.Redacted
): Layer.Layer<SqlClient, SqlError | DatabaseUrlInvalid | Config.ConfigError> =>
  Layer.unwrap(Effect.gen(function*() {
    const host = yield* hostOf(url)
    const driver = Option.getOrElse(
      yield* Config.option(Config.schema(DatabaseDriver, "DATABASE_DRIVER")),
      () => host === "neon.tech" || host.endsWith(".neon.tech") ? "neon" : "tcp"
    )
    if (driver === "tcp") return layerTcp({ url })
    return Option.match(yield* neonProxy, {
      onNone: () => layerNeon({ url }),
      onSome: (proxy) =>
        layerNeon({
          url,
          wsProxy: (host, port) => `${proxy}${host}:${port}`,
          useSecureWebSocket: false,
          pipelineConnect: false
        })
    })
  }))

const hostOf = (url: Redacted.Redacted): Effect.Effect<string, DatabaseUrlInvalid> => {
  const parsed = URL.parse(Redacted.value(url))
  if (parsed === null) return Effect.fail(new DatabaseUrlInvalid({ detail: "it is no URL" }))
  return parsed.protocol === "postgres:" || parsed.protocol === "postgresql:"
    ? Effect.succeed(parsed.hostname)
    : Effect.fail(new DatabaseUrlInvalid({ detail: `"${parsed.protocol}" is not "postgres:"` }))
}
