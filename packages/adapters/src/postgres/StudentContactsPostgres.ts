import { StudentContact, StudentContacts } from "@lectern/domain"
import { Effect, Layer, Schema } from "effect"
import { SqlClient } from "effect/sql/SqlClient"
import { unavailableWhen } from "./databaseFailure.ts"
import { withinLimit } from "./withTransaction.ts"

const decodeContacts = Schema.decodeUnknownEffect(Schema.Array(Schema.Struct({ record: StudentContact })))
const encodeIds = Schema.encodeEffect(Schema.fromJsonString(Schema.Array(Schema.Int)))

/** The students' table as a directory. */
export const layer: Layer.Layer<StudentContacts, never, SqlClient> = Layer.effect(
  StudentContacts,
  Effect.map(SqlClient, (sql) =>
    StudentContacts.of({
      find: (tenantId, ids) =>
        withinLimit(Effect.gen(function*() {
          const wanted = yield* encodeIds(ids)
          const rows = yield* decodeContacts(
            yield* sql`SELECT json_build_object(
                'id', id, 'name', name, 'guardianPhone', guardian_phone, 'studentPhone', student_phone
              ) AS record
              FROM students
              WHERE tenant_id = ${String(tenantId)}::bigint
                AND id IN (SELECT value::bigint FROM json_array_elements_text(${wanted}::json))
              ORDER BY id`
          )
          return rows.map(({ record }) => record)
        })).pipe(
          unavailableWhen(`look up ${ids.length} students`),
          Effect.withSpan("StudentContacts.find", { attributes: { tenant: tenantId, students: ids.length } })
        )
    }))
)
