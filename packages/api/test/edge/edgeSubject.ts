/** An edge as the tests ask it: a token for tenant 7, a reader of their choice. */
import type { StoredProgress } from "@lectern/domain"
import { type EdgeHandlerOptions, makeEdge, type ReadProgress } from "../../src/edge/index.ts"
import { makeTokenVerifier, signToken } from "../../src/tokens/index.ts"

export const secret = "the secret of the edge's tests, long enough"
export const verify = makeTokenVerifier({ secrets: [secret] })
export const token = await signToken({ tenantId: 7, secret, expiresInSeconds: 3_600 })
export const foreignToken = await signToken({ tenantId: 8, secret, expiresInSeconds: 3_600 })

export const holding = (stored: Partial<StoredProgress>): ReadProgress => async (_tenant, subjects) =>
  subjects.map(() => ({ status: null, progress: null, ...stored }))

export const edgeOver = (read: ReadProgress, options: Partial<EdgeHandlerOptions> = {}) =>
  makeEdge({ read, verify, ...options })

export const origin = "http://edge.school"
export const videoPath = "/api/v1/media/videos/42/progress/"
export const jobPath = "/api/v1/jobs/job-1/progress/"

/** The body without the fields beside the contract's, which tests of their own demand. */
export const contractFields = (body: unknown): unknown => {
  if (typeof body !== "object" || body === null) return body
  const beside = new Set(["asOf", "staleAfter", "attempt", "revision", "nextPollMs"])
  return Object.fromEntries(Object.entries(body).filter(([name]) => !beside.has(name)))
}

export const ask = async (
  handler: (request: Request) => Promise<Response>,
  path: string,
  init: { readonly method?: string; readonly headers?: Record<string, string> } = {}
) => {
  const response = await handler(
    new Request(`${origin}${path}`, { ...init, headers: { authorization: `Bearer ${token}`, ...init.headers } })
  )
  const text = await response.text()
  const body: unknown = text === "" ? null : JSON.parse(text)
  return { status: response.status, headers: response.headers, body }
}
