/** A server that answers as AWS Batch does to the calls of a look: paging, filters, refusals per call, a hundred ids a call. */
import { Effect, type Scope } from "effect"
import { createServer } from "node:http"
import { text } from "node:stream/consumers"

export interface Refusal {
  readonly status: number
  readonly code: string
}

export interface BatchDescriptions {
  readonly url: string
  readonly paths: ReadonlyArray<string>
  readonly refuse: (path: string, refusal: Refusal) => void
}

export interface Described {
  readonly jobs: ReadonlyArray<{ readonly jobId: string; readonly jobName: string; readonly [field: string]: unknown }>
  readonly jobQueues: ReadonlyArray<unknown>
  readonly computeEnvironments: ReadonlyArray<unknown>
  readonly jobDefinitions: ReadonlyArray<unknown>
  readonly frontOfQueue?: unknown
}

const pageLength = 100

const answer = (world: Described, path: string, body: Record<string, unknown>): readonly [number, unknown] => {
  switch (path) {
    case "/v1/describejobs": {
      const ids = body["jobs"] as ReadonlyArray<string>
      return ids.length > 100
        ? [400, { message: "too many jobs" }]
        : [200, { jobs: world.jobs.filter(({ jobId }) => ids.includes(jobId)) }]
    }
    case "/v1/listjobs": {
      const [filter] = body["filters"] as ReadonlyArray<{ readonly values: ReadonlyArray<string> }>
      const found = world.jobs.filter(({ jobName }) => jobName === filter?.values[0])
      const start = Number(body["nextToken"] ?? 0)
      return [200, {
        jobSummaryList: found.slice(start, start + pageLength).map(({ jobId, jobName }) => ({ jobId, jobName })),
        ...(start + pageLength < found.length ? { nextToken: String(start + pageLength) } : {})
      }]
    }
    case "/v1/describejobqueues":
      return [200, { jobQueues: world.jobQueues }]
    case "/v1/describecomputeenvironments":
      return [200, { computeEnvironments: world.computeEnvironments }]
    case "/v1/describejobdefinitions":
      return [200, { jobDefinitions: world.jobDefinitions }]
    case "/v1/getjobqueuesnapshot":
      return [200, { frontOfQueue: world.frontOfQueue }]
    default:
      return [404, { message: `there is no ${path}` }]
  }
}

export const startBatchDescriptions = (world: Described): Effect.Effect<BatchDescriptions, never, Scope.Scope> =>
  Effect.gen(function*() {
    const paths: Array<string> = []
    const refusals = new Map<string, Refusal>()
    const server = createServer((request, response) => {
      void text(request).then((sent) => {
        const path = request.url ?? ""
        paths.push(path)
        const refusal = refusals.get(path)
        const [status, value] = refusal === undefined
          ? answer(world, path, JSON.parse(sent) as Record<string, unknown>)
          : [refusal.status, { message: "refused" }]
        response.writeHead(status, {
          "content-type": "application/json",
          ...(refusal === undefined ? {} : { "x-amzn-errortype": refusal.code })
        })
        response.end(JSON.stringify(value))
      })
    })
    yield* Effect.acquireRelease(
      Effect.callback<void>((resume) => {
        server.listen(0, "127.0.0.1", () => resume(Effect.void))
      }),
      () =>
        Effect.callback<void>((resume) => {
          server.closeAllConnections()
          server.close(() => resume(Effect.void))
        })
    )
    const address = server.address()
    const port = typeof address === "object" && address !== null ? address.port : 0
    return {
      url: `http://127.0.0.1:${port}`,
      paths,
      refuse: (path, refusal) => {
        refusals.set(path, refusal)
      }
    }
  })
