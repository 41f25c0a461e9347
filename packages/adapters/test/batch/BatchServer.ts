/** A server that answers as the REST API of AWS Batch does, for the calls of an encode runtime. */
import { Effect, type Scope } from "effect"
import { createServer } from "node:http"
import { text } from "node:stream/consumers"

export interface BatchRequest {
  readonly path: string
  readonly body: Record<string, unknown>
}

interface BatchJob {
  readonly jobId: string
  readonly jobName: string
  status: string
  statusReason?: string
  exitCode?: number
}

export interface BatchServer {
  readonly url: string
  readonly requests: ReadonlyArray<BatchRequest>
  /** Puts a job in a status that it keeps. */
  readonly set: (jobId: string, status: string) => void
  /** From now on every call is refused so; `null` ends it. */
  readonly refuseWith: (refusal: { readonly status: number; readonly code: string } | null) => void
}

/** A job moves on by one status each time that it is described, as time would have it. */
const advance = (job: BatchJob, fixed: ReadonlySet<string>, container: string): void => {
  if (fixed.has(job.jobId)) return
  if (job.status === "SUBMITTED") job.status = "RUNNABLE"
  else if (job.status === "RUNNABLE") job.status = "RUNNING"
  else if (job.status === "RUNNING" && !container.startsWith("waits")) {
    job.exitCode = container.startsWith("exits-3") ? 3 : 0
    job.status = job.exitCode === 0 ? "SUCCEEDED" : "FAILED"
    job.statusReason = "Essential container in task exited"
  }
}

export const startBatchServer: Effect.Effect<BatchServer, never, Scope.Scope> = Effect.gen(function*() {
  const requests: Array<BatchRequest> = []
  const jobs = new Map<string, BatchJob>()
  const containers = new Map<string, string>()
  const fixed = new Set<string>()
  let refusal: { readonly status: number; readonly code: string } | null = null

  const answer = (path: string, body: Record<string, unknown>): readonly [number, unknown] => {
    switch (path) {
      case "/v1/submitjob": {
        const jobId = `batch-${jobs.size + 1}`
        const { job_id } = body["parameters"] as { readonly job_id: string }
        jobs.set(jobId, { jobId, jobName: String(body["jobName"]), status: "SUBMITTED" })
        containers.set(jobId, job_id)
        return [200, { jobId, jobName: body["jobName"], jobArn: `arn:aws:batch:us-east-1:000000000000:job/${jobId}` }]
      }
      case "/v1/describejobs": {
        const ids = body["jobs"] as ReadonlyArray<string>
        if (ids.length > 100) return [400, { code: "ClientException", message: "too many jobs" }]
        const found = ids.flatMap((id) => jobs.get(id) ?? [])
        for (const job of found) advance(job, fixed, containers.get(job.jobId) ?? "")
        return [200, {
          jobs: found.map((job) => ({
            jobId: job.jobId,
            jobName: job.jobName,
            jobQueue: "queue",
            jobDefinition: "definition",
            startedAt: 0,
            status: job.status,
            statusReason: job.statusReason,
            container: { exitCode: job.exitCode }
          }))
        }]
      }
      case "/v1/terminatejob": {
        const job = jobs.get(String(body["jobId"]))
        if (job !== undefined && job.status !== "SUCCEEDED" && job.status !== "FAILED") {
          Object.assign(job, { status: "FAILED", statusReason: body["reason"], exitCode: 143 })
        }
        return [200, {}]
      }
      default:
        return [404, { message: `there is no ${path}` }]
    }
  }

  const server = createServer((request, response) => {
    void text(request).then((sent) => {
      const body = JSON.parse(sent) as Record<string, unknown>
      requests.push({ path: request.url ?? "", body })
      const [status, value] = refusal === null
        ? answer(request.url ?? "", body)
        : [refusal.status, { message: "refused", __type: refusal.code }]
      response.writeHead(status, {
        "content-type": "application/json",
        ...(refusal === null ? {} : { "x-amzn-errortype": refusal.code })
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
    requests,
    set: (jobId, status) => {
      jobs.set(jobId, { jobId, jobName: "job", status })
      fixed.add(jobId)
    },
    refuseWith: (next) => {
      refusal = next
    }
  }
})
