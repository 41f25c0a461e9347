import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { Subject } from "./MirrorKeys.ts"
import type { MirrorUnavailable } from "./ProgressMirror.ts"
import type { TenantId } from "./Tenant.ts"

/** The two stored texts of a subject; `null` where there is none. Not decoded: a foreign writer may have left anything there. */
export interface StoredProgress {
  readonly status: string | null
  readonly progress: string | null
}

/** The mirror as a reader sees it: one round trip for all subjects of a call, in their order. */
export class ProgressReader extends Context.Service<ProgressReader, {
  readonly read: (
    tenantId: TenantId,
    subjects: ReadonlyArray<Subject>
  ) => Effect.Effect<ReadonlyArray<StoredProgress>, MirrorUnavailable>
}>()("@lectern/domain/ProgressReader") {}
