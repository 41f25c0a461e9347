import { Context, type Effect, Schema } from "effect"
export class GrantRefused extends Schema.TaggedError<GrantRefused>()("GrantRefused", { detail: Schema.String }) {}
export interface ObjectGrant {
  readonly method: "PUT" | "GET"
  readonly key: string
  readonly contentType: string | null
  readonly downloadName: string | null
}
export class ObjectGrants extends Context.Service<ObjectGrants, {
  readonly verify: (token: string, now: number) => Effect.Effect<ObjectGrant, GrantRefused>
}>()("agreed/ObjectGrants") {}
