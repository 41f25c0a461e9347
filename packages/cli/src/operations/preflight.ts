import { batchVariables } from "@lectern/adapters/batch"
import { readEnvironment, serverVariables, serviceContradictions, type Services, serviceVariables } from "@lectern/adapters/environment"
import { layerFor, migrationState, withinLimit } from "@lectern/adapters/postgres"
import { jobQueueNames, messagingQueueName } from "@lectern/adapters/sqs"
import { Clock, Effect, Redacted, Schema } from "effect"
import { SqlClient } from "effect/sql/SqlClient"
import { statfs } from "node:fs/promises"
import { tmpdir } from "node:os"
import process from "node:process"
import { withLogs } from "../logs.ts"
import { type CheckOutcome, failure, misconfigured, pass, unset } from "./CheckOutcome.ts"
import { explainDatabase } from "./databaseCheck.ts"
import { reportChecks, runChecks } from "./runChecks.ts"
import { runProgram } from "./runProgram.ts"
import { type Language, plain, words } from "./Words.ts"

type Variables = Readonly<Record<string, string | undefined>>

const neededNode = 24
/** The record goes by the database's own clock; a machine that is further off misleads tokens and whoever compares logs. */
const maxSkewMillis = 2_000
/** Raw file and stream of a lecture of three hours, with room for a second attempt's remains, in bytes. */
const neededBytes = 5 * 1024 ** 3
const gibibytes = (bytes: number): string => (bytes / 1024 ** 3).toFixed(1)

const configuration = (variables: Variables) =>
  readEnvironment({ ...serviceVariables, ...serverVariables }, variables, serviceContradictions).pipe(
    Effect.map(() => pass(words("환경 변수가 모두 유효하고 서로 맞습니다", "every variable is valid and they fit together"))),
    Effect.catchTag("BadConfiguration", (error) => Effect.succeed(misconfigured(error.faults)))
  )

/** Runs a check on the database that the environment names, or says why there is none. */
const onDatabase = <E>(variables: Variables, check: Effect.Effect<CheckOutcome, E, SqlClient>): Effect.Effect<CheckOutcome> =>
  readEnvironment({ DATABASE_URL: serviceVariables.DATABASE_URL }, variables).pipe(
    Effect.flatMap(({ DATABASE_URL: url }) =>
      url === undefined
        ? Effect.succeed(unset("DATABASE_URL", false))
        : check.pipe(
          Effect.provide(layerFor(Redacted.make(url))),
          Effect.catch((error) => Effect.succeed(explainDatabase(error, url)))
        )
    ),
    Effect.catchTag("BadConfiguration", (error) => Effect.succeed(misconfigured(error.faults)))
  )

const migrations = Effect.map(withinLimit(migrationState), ({ changed, pending, unknown }) => {
  if (changed.length > 0) {
    return failure(
      words(
        `적용된 뒤 내용이 바뀐 마이그레이션이 있습니다: ${changed.join(", ")}`,
        `steps were applied with another text: ${changed.join(", ")}`
      ),
      words("그 단계를 되돌리고 새 단계를 추가하세요", "restore that step's text and write a new step")
    )
  }
  if (pending.length > 0) {
    return failure(
      words(`적용되지 않은 마이그레이션이 있습니다: ${pending.join(", ")}`, `steps are pending: ${pending.join(", ")}`),
      words("API 를 먼저 배포하여 적용한 뒤 워커를 배포하세요", "deploy the API first, which applies them, then the workers")
    )
  }
  return pass(
    words("마이그레이션이 모두 적용되어 있습니다", "every step is applied"),
    unknown === 0 ? null : words(
      `데이터베이스가 이 프로그램보다 ${unknown}단계 앞서 있습니다`,
      `the database is ${unknown} steps ahead of this program`
    )
  )
})

const decodeClock = Schema.decodeUnknownEffect(
  Schema.Tuple([Schema.Struct({ record: Schema.Struct({ now: Schema.Finite }) })])
)

const clock = Effect.gen(function*() {
  const sql = yield* SqlClient
  // The first statement opens the connection, which is not to count.
  yield* withinLimit(sql`SELECT 1 AS opened`)
  const before = yield* Clock.currentTimeMillis
  const [{ record }] = yield* decodeClock(
    yield* withinLimit(sql`SELECT json_build_object('now', extract(epoch FROM clock_timestamp()) * 1000) AS record`)
  )
  const after = yield* Clock.currentTimeMillis
  const skew = Math.round(record.now - (before + after) / 2)
  return Math.abs(skew) > maxSkewMillis + (after - before) / 2
    ? failure(
      words(`이 컴퓨터의 시계가 데이터베이스와 ${-skew} ms 다릅니다`, `this machine's clock is ${-skew} ms away from the database's`),
      words("chrony 또는 systemd-timesyncd 로 시계를 맞추세요", "set it by chrony or systemd-timesyncd")
    )
    : pass(words(`데이터베이스와의 시계 차이 ${-skew} ms`, `${-skew} ms from the database's clock`))
})

/** The names that code, infrastructure and documents are made from, against those that the environment says. */
const namesOf = (services: Services): CheckOutcome => {
  const queueName = (url: string | undefined): string | undefined =>
    url === undefined ? undefined : new URL(url).pathname.split("/").at(-1)
  const compared = [
    { variable: batchVariables.jobQueue.name, ours: batchVariables.jobQueue.default, theirs: services.VIDEO_BATCH_JOB_QUEUE },
    {
      variable: batchVariables.jobDefinition.name,
      ours: batchVariables.jobDefinition.default,
      theirs: services.VIDEO_BATCH_JOB_DEFINITION
    },
    { variable: "SQS_QUEUE_URL_LITE", ours: jobQueueNames.lite.queue, theirs: queueName(services.SQS_QUEUE_URL_LITE) },
    { variable: "SQS_QUEUE_URL_BASIC", ours: jobQueueNames.basic.queue, theirs: queueName(services.SQS_QUEUE_URL_BASIC) },
    { variable: "SQS_QUEUE_URL_PREMIUM", ours: jobQueueNames.premium.queue, theirs: queueName(services.SQS_QUEUE_URL_PREMIUM) },
    { variable: "SQS_QUEUE_URL_MESSAGING", ours: messagingQueueName.queue, theirs: queueName(services.SQS_QUEUE_URL_MESSAGING) }
  ]
  // A definition may be named with its revision, and both by their ARN.
  const bare = (name: string): string => name.replace(/^arn:[^/]*\//, "").replace(/:\d+$/, "")
  const different = compared.filter(({ ours, theirs }) => theirs !== undefined && bare(theirs) !== ours)
  if (different.length > 0) {
    const list = different.map(({ ours, theirs, variable }) => `${variable}=${bare(theirs ?? "")} (${ours})`).join(", ")
    return failure(
      words(`이름이 코드와 다릅니다: ${list}`, `names differ from the code's, in brackets: ${list}`),
      words(
        "한 글자라도 다르면 작업이 사라지므로, 변수를 코드의 이름에 맞추세요",
        "set the variables to the code's names: one letter loses every job"
      )
    )
  }
  const unnamed = compared.filter(({ theirs }) => theirs === undefined).map(({ variable }) => variable)
  return pass(
    words("설정된 이름이 코드와 같습니다", "the names that are set are the code's"),
    unnamed.length === 0 ? null : words(`설정되지 않음: ${unnamed.join(", ")}`, `not set: ${unnamed.join(", ")}`)
  )
}

const names = (variables: Variables): Effect.Effect<CheckOutcome> =>
  readEnvironment(serviceVariables, variables).pipe(
    Effect.map(namesOf),
    Effect.catchTag("BadConfiguration", (error) => Effect.succeed(misconfigured(error.faults)))
  )

const disk = (folder: string): Effect.Effect<CheckOutcome> =>
  Effect.tryPromise({ try: () => statfs(folder), catch: (cause) => cause }).pipe(
    Effect.map(({ bavail, bsize }) => {
      const free = bavail * bsize
      const detail = words(`${folder} 여유 공간 ${gibibytes(free)} GiB`, `${gibibytes(free)} GiB free in ${folder}`)
      return free < neededBytes
        ? failure(detail, words(
          `${gibibytes(neededBytes)} GiB 이상을 비우거나 LECTERN_WORK_DIR 을 더 큰 디스크로 옮기세요`,
          `free ${gibibytes(neededBytes)} GiB or more, or set LECTERN_WORK_DIR to a bigger disk`
        ))
        : pass(detail)
    }),
    Effect.catch(() =>
      Effect.succeed(failure(
        words(`작업 폴더 ${folder} 을(를) 읽을 수 없습니다`, `the work directory ${folder} cannot be looked at`),
        words("폴더를 만들거나 LECTERN_WORK_DIR 을 고치세요", "make it or correct LECTERN_WORK_DIR")
      ))
    )
  )

const ffmpeg = (variables: Variables) =>
  runProgram("ffmpeg", ["-hide_banner", "-version"], { env: { PATH: variables["PATH"] ?? "" }, limit: "10 seconds" }).pipe(
    Effect.map(({ exitCode, stdout }) => {
      const version = /^ffmpeg version (\S+)/m.exec(stdout)?.[1]
      return exitCode === 0 && version !== undefined
        ? pass(plain(`ffmpeg ${version}`))
        : failure(
          words(`ffmpeg 이(가) 종료 코드 ${exitCode} (으)로 끝났습니다`, `ffmpeg ended with exit code ${exitCode}`),
          words("Debian 의 ffmpeg 패키지를 다시 설치하세요", "install Debian's ffmpeg again")
        )
    }),
    Effect.catchTag("ProgramUnavailable", (error) =>
      Effect.succeed(failure(
        words("ffmpeg 을(를) 실행할 수 없습니다", `ffmpeg cannot be run: ${error.detail}`),
        words("Debian 의 ffmpeg 패키지를 설치하고 PATH 를 확인하세요", "install Debian's ffmpeg and check PATH")
      )))
  )

const node = (version: string): CheckOutcome =>
  Number(version.split(".")[0]) >= neededNode
    ? pass(plain(`Node ${version}`))
    : failure(
      words(`Node ${version} 은(는) 너무 오래되었습니다`, `Node ${version} is too old`),
      words(`Node ${neededNode} 이상을 사용하세요`, `use Node ${neededNode} or newer`)
    )

/** Everything that is looked at, and nothing of it is written. */
export const preflightChecks = (variables: Variables, nodeVersion: string) => [
  { id: "configuration", title: words("설정", "Configuration"), run: configuration(variables) },
  { id: "migrations", title: words("마이그레이션", "Migrations"), run: onDatabase(variables, migrations) },
  { id: "names", title: words("이름", "Names"), run: names(variables) },
  { id: "clock", title: words("시계", "Clock"), run: onDatabase(variables, clock) },
  { id: "disk", title: words("디스크", "Disk"), run: disk(variables["LECTERN_WORK_DIR"] || tmpdir()) },
  { id: "ffmpeg", title: words("ffmpeg", "ffmpeg"), run: ffmpeg(variables) },
  { id: "node", title: words("Node", "Node"), run: Effect.succeed(node(nodeVersion)) }
]

export interface PreflightRequest {
  readonly json: boolean
  readonly lang: Language
}

/** Looks at a deployment before it goes out. */
export const preflight = Effect.fn(function*({ json, lang }: PreflightRequest) {
  const checks = yield* runChecks(preflightChecks(process.env, process.versions.node))
  yield* reportChecks(checks, { json, language: lang })
}, withLogs)
