import type { TenantId } from "@lectern/domain"
import { Context, type Ref } from "effect"

/** Where a request's tenant is noted, once its token is verified, for its line in the log; `null` outside of one. */
export const RequestTenant = Context.Reference<Ref.Ref<TenantId | null> | null>("@lectern/api/RequestTenant", {
  defaultValue: () => null
})
