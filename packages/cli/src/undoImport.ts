import { layerFor, layerPglite, migrate, PgliteHost, StudentStorePostgres } from "@lectern/adapters/postgres"
import { JobId, StudentStore, TenantId, type UndoneImport } from "@lectern/domain"
import { Console, Context, Effect, FileSystem, Layer, Path, Redacted, Schema } from "effect"
import process from "node:process"
import { exitCodes, fail } from "./CommandFailed.ts"
import { databaseIn } from "./DataDirectory.ts"
import { badConfiguration } from "./logs.ts"
import { databaseAway } from "./operations/deployment.ts"
import { readOperatorEnvironment } from "./operations/OperatorSystem.ts"

export interface UndoRequest {
  /** The data directory of `lectern up`, where DATABASE_URL names no other record. */
  readonly data: string
  readonly job: string
  readonly json: boolean
  readonly tenant: number
}

const encodeJson = Schema.encodeSync(Schema.fromJsonString(Schema.Json))

/** The record as the environment names it, or the one that `lectern up` has left in its data directory. */
const students = Effect.fnUntraced(function*(data: string) {
  const { DATABASE_URL } = yield* readOperatorEnvironment(process.env).pipe(Effect.catchTag("BadConfiguration", badConfiguration))
  if (DATABASE_URL !== undefined) {
    return yield* Layer.build(StudentStorePostgres.layer.pipe(Layer.provide(layerFor(Redacted.make(DATABASE_URL))))).pipe(
      Effect.catch(databaseAway(DATABASE_URL))
    )
  }
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const dataDir = databaseIn(path, path.resolve(data))
  const isThere = yield* fs.exists(dataDir).pipe(Effect.orElseSucceed(() => false))
  if (!isThere) {
    return yield* fail(
      exitCodes.configuration,
      `There is no record to undo an import in: set DATABASE_URL, or name the data directory of \`lectern up\` by --data (not "${data}")`
    )
  }
  const sql = Layer.effectDiscard(migrate).pipe(
    Layer.provideMerge(layerPglite),
    Layer.provide(PgliteHost.layer({ dataDir }))
  )
  return yield* Layer.build(StudentStorePostgres.layer.pipe(Layer.provide(sql))).pipe(
    Effect.catch((error) => fail(exitCodes.unavailable, error.message))
  )
})

const rows = (numbers: ReadonlyArray<number>): string => numbers.map((row) => `${row}행`).join(", ")

const text = ({ changed, removed }: UndoneImport): string =>
  [
    `등록을 되돌려 ${removed.length}명을 지웠습니다${removed.length === 0 ? "" : `: ${rows(removed)}`}`,
    ...(changed.length === 0 ? [] : [`그 뒤에 바뀌어 그대로 둔 학생 ${changed.length}명: ${rows(changed)}`])
  ].join("\n")

/** Takes an import back, and says what it left alone because somebody has changed it since. */
export const undoImport = Effect.fn(function*({ data, job, json, tenant }: UndoRequest) {
  const jobId = yield* Schema.decodeUnknownEffect(JobId)(job).pipe(
    Effect.catchTag("SchemaError", () => fail(exitCodes.badInput, `Cannot undo "${job}": a job's id has 1 to 64 characters`))
  )
  const store = Context.get(yield* students(data), StudentStore)
  const undone = yield* store.undoImport(TenantId.make(tenant), jobId).pipe(
    Effect.catchTags({
      JobNotFound: () => fail(exitCodes.badInput, `Tenant ${tenant} has no job "${jobId}"`),
      ImportNotUndoable: (error) => fail(exitCodes.badInput, error.message),
      JobStoreUnavailable: (error) => fail(exitCodes.unavailable, error.message)
    })
  )
  yield* Console.log(json ? encodeJson({ removed: undone.removed, changed: undone.changed }) : text(undone))
}, Effect.scoped)
