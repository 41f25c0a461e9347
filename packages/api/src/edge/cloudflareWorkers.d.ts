/**
 * What the edge uses of workerd's own module. Cloudflare's declarations replace those of the DOM for the whole package, and Node's
 * with them.
 */
declare module "cloudflare:workers" {
  export interface DurableObjectState {
    readonly blockConcurrencyWhile: <A>(run: () => Promise<A>) => Promise<A>
  }

  /** A subclass with `fetch` can be asked from elsewhere, by way of its namespace. */
  export abstract class DurableObject {
    constructor(state: DurableObjectState, env: unknown)
  }

  /** The bindings: texts, `null` for one that is not set, services, and namespaces of Durable Objects. */
  export const env: Readonly<Record<string, unknown>>
}
