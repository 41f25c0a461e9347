import { readEnvironment, serviceVariables } from "@lectern/adapters/environment"
import { layerFor, sqlStateOf, withinLimit, withTransaction } from "@lectern/adapters/postgres"
import { newUuid } from "@lectern/domain"
import { Effect, Redacted, Schema } from "effect"
import { SqlClient } from "effect/sql/SqlClient"
import { causeChain, placeOf, quote } from "./causeChain.ts"
import { type CheckOutcome, failure, misconfigured, pass, unrecognised, unset } from "./CheckOutcome.ts"
import { networkFault } from "./networkFault.ts"
import { words } from "./Words.ts"

const one = <S extends Schema.Constraint>(schema: S) => Schema.decodeUnknownEffect(Schema.Tuple([schema]))
const decodeRole = one(Schema.Struct({ role: Schema.String, missing: Schema.NullOr(Schema.String) }))
const decodeCanary = one(Schema.Struct({ id: Schema.String }))
const decodeLeft = one(Schema.Struct({ left: Schema.Boolean }))

/** What a worker does to the record; the API does more. */
const workerNeeds = ["SELECT", "UPDATE"].flatMap((right) => ["jobs", "videos"].map((table) => `${right} on ${table}`)).join(",")

/** What the database refused, by its own code, or what the network did. */
export const explainDatabase = (error: unknown, url: string): CheckOutcome => {
  const state = sqlStateOf(error)
  const place = placeOf(url)
  switch (state) {
    case "28P01":
    case "28000":
      return failure(
        words(`데이터베이스 ${place} 이(가) 역할 또는 비밀번호를 거부했습니다`, `the database at ${place} refused the role or its password`),
        words(
          "DATABASE_URL 의 역할과 비밀번호, 서버의 pg_hba 규칙을 확인하세요",
          "check role and password of DATABASE_URL and the server's pg_hba rules"
        )
      )
    case "3D000":
      return failure(
        words("DATABASE_URL 이 가리키는 데이터베이스가 없습니다", "the database that DATABASE_URL names does not exist"),
        words("데이터베이스를 만들거나 DATABASE_URL 의 이름을 고치세요", "create it or correct the name in DATABASE_URL")
      )
    case "42P01":
    case "42703":
      return failure(
        words(
          "스키마가 이 프로그램보다 오래되어 필요한 테이블이 없습니다",
          "the schema is older than this program: a table that it needs is missing"
        ),
        words(
          "`lectern preflight` 로 남은 마이그레이션을 확인하고, API 를 한 번 시작해 적용하세요",
          "see `lectern preflight` for the pending steps and start the API once to apply them"
        )
      )
    case "42501":
      return failure(
        words("데이터베이스 역할에 쓰기 권한이 없습니다", "the database role has no right to write"),
        words(
          "워커의 역할에 jobs, videos 의 SELECT, UPDATE 와 readiness_canaries 의 SELECT, INSERT, DELETE 를 GRANT 하세요",
          "GRANT the worker's role SELECT and UPDATE on jobs and videos, and SELECT, INSERT and DELETE on readiness_canaries"
        )
      )
    case "25006":
      return failure(
        words("데이터베이스가 읽기 전용입니다", "the database is read-only for this role"),
        words(
          "DATABASE_URL 이 복제본이 아닌지, 역할의 default_transaction_read_only 가 꺼져 있는지 확인하세요",
          "check that DATABASE_URL is not a replica and that default_transaction_read_only is off for the role"
        )
      )
    case "53300":
      return failure(
        words("데이터베이스의 연결이 모두 사용 중입니다", "the database has no connection left"),
        words("max_connections 와 남아 있는 연결을 확인하세요", "look at max_connections and at who holds the connections")
      )
    case "53100":
      return failure(
        words("데이터베이스의 디스크가 가득 찼습니다", "the database's disk is full"),
        words("데이터베이스의 저장 공간을 늘리세요", "give the database more storage")
      )
    case undefined:
    default:
  }
  return networkFault(causeChain(error).join(" | "), { service: "Postgres", place, variable: "DATABASE_URL" })
    ?? unrecognised(words("데이터베이스를 사용할 수 없습니다", "the database cannot be used"), quote(error, [url]))
}

/** A canary row of its own, written, read and removed in one committed transaction; nobody else ever sees it. */
const writeCanary = Effect.gen(function*() {
  const sql = yield* SqlClient
  const id = yield* newUuid
  const found = yield* withTransaction(
    sql,
    Effect.gen(function*() {
      yield* sql`INSERT INTO readiness_canaries (id, written_at)
        VALUES (${id}, floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint)`
      const [canary] = yield* decodeCanary(yield* sql`SELECT id FROM readiness_canaries WHERE id = ${id}`)
      yield* sql`DELETE FROM readiness_canaries WHERE id = ${canary.id}`
      const [rights] = yield* decodeRole(
        yield* sql`SELECT current_user::text AS role, string_agg(need.item, ', ') FILTER (
            WHERE NOT has_table_privilege(split_part(need.item, ' on ', 2), split_part(need.item, ' on ', 1))
          ) AS missing
          FROM unnest(string_to_array(${workerNeeds}, ',')) AS need(item)`
      )
      return rights
    })
  )
  const [{ left }] = yield* decodeLeft(
    yield* withinLimit(sql`SELECT EXISTS (SELECT FROM readiness_canaries WHERE id = ${id}) AS left`)
  )
  return { ...found, left }
})

/** The canary through the role of `DATABASE_URL`: give this check the worker's own. */
export const databaseCheck = (
  variables: Readonly<Record<string, string | undefined>>,
  local: boolean
): Effect.Effect<CheckOutcome> =>
  Effect.gen(function*() {
    const { DATABASE_URL: url } = yield* readEnvironment({ DATABASE_URL: serviceVariables.DATABASE_URL }, variables)
    if (url === undefined) return unset("DATABASE_URL", local)
    return yield* writeCanary.pipe(
      Effect.map(({ left, missing, role }) =>
        left
          ? failure(
            words("카나리아 행이 지워진 뒤에도 남아 있습니다", "the canary row is still there after it was removed"),
            words("readiness_canaries 의 트리거와 규칙을 확인하세요", "look for triggers and rules on readiness_canaries")
          )
          : missing !== null
          ? failure(
            words(`역할 ${role} 에 워커가 쓰는 권한이 없습니다: ${missing}`, `role ${role} lacks what a worker needs: ${missing}`),
            words(`역할 ${role} 에 ${missing} 을(를) GRANT 하세요`, `GRANT ${missing} to ${role}`)
          )
          : pass(words(
            `역할 ${role} (으)로 카나리아 행을 쓰고, 읽고, 지웠습니다`,
            `role ${role} wrote, read and removed a canary row, and may read and update jobs and videos`
          ))
      ),
      Effect.provide(layerFor(Redacted.make(url))),
      Effect.catch((error) => Effect.succeed(explainDatabase(error, url)))
    )
  }).pipe(Effect.catchTag("BadConfiguration", (error) => Effect.succeed(misconfigured(error.faults))))
