import { signWatchToken } from "@lectern/api/tokens"
import type { Subject, TenantId } from "@lectern/domain"
import { Context, Effect, Layer, Redacted } from "effect"

export interface WatchTokenOptions {
  /** One that the edge's verifier accepts; at least 32 bytes. */
  readonly secret: Redacted.Redacted<string>
  /** A day by default: longer than any job takes. */
  readonly expiresInSeconds?: number
  /** Where the verifier asks for it. */
  readonly audience?: string
}

const day = 24 * 3600

/** Hands out tokens by which a page, a phone or a partner may watch one video or job, and do nothing else. */
export class WatchTokens extends Context.Service<WatchTokens, {
  /** The field of an answer; none where no tokens are handed out. */
  readonly field: (tenantId: TenantId, watch: Subject) => Effect.Effect<{ readonly watch_token?: string }>
}>()("@lectern/api/WatchTokens") {
  static readonly layer = (options: WatchTokenOptions | undefined): Layer.Layer<WatchTokens> =>
    Layer.succeed(
      WatchTokens,
      WatchTokens.of({
        field: Effect.fn("WatchTokens.field")(function*(tenantId, watch) {
          if (options === undefined) return {}
          const token = yield* Effect.promise(() =>
            signWatchToken({
              tenantId,
              watch,
              secret: Redacted.value(options.secret),
              expiresInSeconds: options.expiresInSeconds ?? day,
              ...(options.audience === undefined ? {} : { audience: options.audience })
            })
          )
          return { watch_token: token }
        })
      })
    )
}
