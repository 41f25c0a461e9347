import { Effect } from "effect"
import process from "node:process"
import { withLogs } from "../logs.ts"
import { databaseCheck } from "./databaseCheck.ts"
import { queueCheck } from "./queueCheck.ts"
import { redisCheck } from "./redisCheck.ts"
import { reportChecks, runChecks } from "./runChecks.ts"
import type { Language } from "./Words.ts"
import { words } from "./Words.ts"
import { workerCheck, type WorkerCheckOptions } from "./workerCheck.ts"

/** The four checks, in the order and by the numbers that operators know. */
export const readinessChecks = (
  variables: Readonly<Record<string, string | undefined>>,
  options: { readonly local: boolean; readonly worker: WorkerCheckOptions }
) => [
  { id: "worker", title: words("워커 단독 실행", "Worker alone"), run: workerCheck(options.worker) },
  { id: "redis", title: words("Redis 연결", "Redis"), run: redisCheck(variables, options.local) },
  { id: "sqs", title: words("SQS 메시지 왕복", "SQS round trip"), run: queueCheck(variables, options.local) },
  { id: "database", title: words("DB 쓰기", "Database write"), run: databaseCheck(variables, options.local) }
]

export interface ReadinessRequest {
  /** The worker's image to check; `null`: the worker of this checkout. */
  readonly image: string | null
  readonly local: boolean
  readonly json: boolean
  readonly lang: Language
}

/** Runs the four checks and says what came of them. */
export const readiness = Effect.fn(function*({ image, json, lang, local }: ReadinessRequest) {
  const checks = yield* runChecks(readinessChecks(process.env, {
    local,
    worker: {
      image,
      engine: process.env["LECTERN_CONTAINER_ENGINE"],
      path: process.env["PATH"] ?? ""
    }
  }))
  yield* reportChecks(checks, { json, language: lang })
}, withLogs)
