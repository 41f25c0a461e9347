import * as Schema from "effect/Schema"

/** A school: a positive integer, as it stands in every token and in every key. */
export const TenantId = Schema.Int.check(Schema.isGreaterThan(0)).pipe(Schema.brand("TenantId"))
export type TenantId = typeof TenantId.Type
