import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { JobStoreUnavailable } from "./JobStore.ts"
import type { TenantId } from "./Tenant.ts"

/** How a student and the parents are reached. */
export const StudentContact = Schema.Struct({
  id: Schema.Int,
  name: Schema.String,
  /** Empty where there is none. */
  guardianPhone: Schema.String,
  studentPhone: Schema.NullOr(Schema.String)
})
export type StudentContact = typeof StudentContact.Type

/** Looks up whom to write to. */
export class StudentContacts extends Context.Service<StudentContacts, {
  /** Those of the ids that are this tenant's, each once, by id; another tenant's count as none. */
  readonly find: (
    tenantId: TenantId,
    ids: ReadonlyArray<number>
  ) => Effect.Effect<ReadonlyArray<StudentContact>, JobStoreUnavailable>
}>()("@lectern/domain/StudentContacts") {}
