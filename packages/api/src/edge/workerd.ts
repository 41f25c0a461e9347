/**
 * The progress API on workerd, which is Cloudflare's runtime: `npm run edge:workerd`, or `wrangler deploy` with `wrangler.jsonc`.
 *
 * The environment is that of the entry for Node, as bindings. `REDIS_REST_URL` and `REDIS_REST_TOKEN` in place of `REDIS_URL` read
 * a Redis over HTTP; then there are no events. A configuration that cannot work is refused when the module is loaded, with every
 * fault named: no request is ever taken.
 */
import { edgeVerifier } from "./edgeVerifier.ts"
import { makeAccessLog, makeEdgeHandler } from "./index.ts"
import { withHealth } from "./webEntry.ts"
import { edgeObject, fetchKeys, log, settings } from "./workerdBindings.ts"

export { EdgeObject } from "./EdgeObject.ts"

/** Answers for a Durable Object that fails, which is not the caller's fault: who may ask gets 200 and UNKNOWN. */
const answerWithout = (fault: unknown) =>
  makeEdgeHandler({
    read: () => Promise.reject(new Error("Cannot ask the Durable Object", { cause: fault })),
    verify: edgeVerifier(settings, log, fetchKeys),
    allowedOrigins: settings.allowedOrigins,
    accessLog: makeAccessLog({ mode: settings.accessLog, write: log })
  })

export default {
  fetch: withHealth(async (request) => {
    try {
      return await edgeObject().fetch(request)
    } catch (fault) {
      return answerWithout(fault)(request)
    }
  })
}
