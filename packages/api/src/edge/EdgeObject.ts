import { DurableObject, type DurableObjectState } from "cloudflare:workers"
import { makeEdgeProgram } from "./edgeProgram.ts"
import type { Edge } from "./index.ts"
import { fetchKeys, log, settings, workerdMirror } from "./workerdBindings.ts"

/**
 * The edge on workerd, which forbids one request to use what another has opened: a Durable Object has a life of its own, in which
 * all requests share a connection, a subscription, the keys and what was counted (docs/decisions/0006-edge-runtimes.md).
 */
export class EdgeObject extends DurableObject {
  readonly #edge: Edge

  constructor(state: DurableObjectState, bindings: unknown) {
    super(state, bindings)
    this.#edge = makeEdgeProgram({ settings, mirror: workerdMirror(), log, fetchKeys }).edge
  }

  fetch(request: Request): Promise<Response> {
    return this.#edge.handler(request)
  }
}
