import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { type StudentContact, StudentContacts } from "../StudentContacts.ts"
import type { TenantId } from "../Tenant.ts"

/** A fixed directory. */
export const layer = (students: ReadonlyMap<TenantId, ReadonlyArray<StudentContact>>): Layer.Layer<StudentContacts> =>
  Layer.succeed(
    StudentContacts,
    StudentContacts.of({
      find: (tenantId, ids) =>
        Effect.succeed(
          (students.get(tenantId) ?? []).filter(({ id }) => ids.includes(id)).toSorted((a, b) => a.id - b.id)
        )
    })
  )
