import { JobQueue, JobStore, ObjectStore, ProgressMirror } from "@lectern/domain"
import { Duration, Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { OriginApi } from "./OriginApi.ts"

/** How long readiness waits for each part; all are asked at once. */
const patience = Duration.seconds(2)

/** Whether the process is alive, which touches nothing, and whether it can do its work, which is really tried. */
export const HealthHandlers = HttpApiBuilder.group(
  OriginApi,
  "health",
  Effect.fnUntraced(function*(handlers) {
    const store = yield* JobStore
    const objects = yield* ObjectStore
    const queue = yield* JobQueue
    const mirror = yield* ProgressMirror

    const answers = <E extends { readonly message: string }>(
      part: string,
      ping: Effect.Effect<void, E>
    ): Effect.Effect<boolean> =>
      ping.pipe(
        Effect.timeoutOption(patience),
        Effect.matchEffect({
          onSuccess: (answer) =>
            answer._tag === "Some"
              ? Effect.succeed(true)
              : Effect.as(Effect.logWarning("A part is not ready", { part, error: "no answer in time" }), false),
          onFailure: (error) =>
            Effect.as(Effect.logWarning("A part is not ready", { part, error: error.message }), false)
        })
      )

    return handlers.handleAll({
      liveness: () => Effect.succeed({ status: "ok" as const }),
      readiness: Effect.fn("Origin.readiness")(function*() {
        const [database, objectsReady, queueReady, mirrorReady] = yield* Effect.all([
          answers("database", store.ping),
          answers("objects", objects.ping),
          answers("queue", queue.ping),
          answers("mirror", mirror.ping)
        ], { concurrency: "unbounded" })
        const required = database && objectsReady && queueReady
        const state = (ready: boolean, isRequired: boolean) => ({
          status: ready ? "ok" as const : "unavailable" as const,
          required: isRequired
        })
        const parts = {
          database: state(database, true),
          objects: state(objectsReady, true),
          queue: state(queueReady, true),
          mirror: state(mirrorReady, false)
        }
        return required
          ? { status: mirrorReady ? "ready" as const : "degraded" as const, parts }
          : { status: "unavailable" as const, parts }
      })
    })
  })
)
