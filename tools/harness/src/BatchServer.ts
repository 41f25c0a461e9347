import { Effect, Schema, type Scope } from "effect"
import { createServer, type ServerResponse } from "node:http"
import { text } from "node:stream/consumers"
import { arrayOf, arrayOfChild, childrenOfArray, sizeOfArray } from "./BatchArray.ts"
import { HarnessError } from "./HarnessError.ts"

/** A job as DescribeJobs gives it; it may have any other field of the API. */
export interface BatchJob {
  readonly jobId: string
  readonly jobName: string
  readonly status: string
  readonly [field: string]: unknown
}

export interface BatchCall {
  /** `/v1/submitjob` and the like; for other services the name of the call, such as `DescribeClusters`. */
  readonly call: string
  readonly body: Readonly<Record<string, unknown>>
}

/**
 * What becomes of one call: it is refused, or it happens and its answer is lost with the connection, or the answer comes
 * from a service that broke down behind it. `silence` does nothing and never answers.
 */
export type BatchFault =
  | { readonly status: number; readonly code: string }
  | "lost"
  | "broken after"
  | "silence"

/** What is there besides jobs, as the describe calls give it. */
export interface BatchWorld {
  readonly jobs?: ReadonlyArray<BatchJob>
  readonly jobQueues?: ReadonlyArray<unknown>
  readonly computeEnvironments?: ReadonlyArray<unknown>
  readonly jobDefinitions?: ReadonlyArray<unknown>
  readonly frontOfQueue?: unknown
  /** Answers of other services (CloudWatch Logs, ECS, Auto Scaling), by the name of the call; text is sent as it is. */
  readonly others?: Readonly<Record<string, unknown>>
}

export interface BatchServer {
  /** The endpoint; any region and credentials do. */
  readonly url: string
  readonly calls: ReadonlyArray<BatchCall>
  readonly jobs: ReadonlyArray<BatchJob>
  /** Jobs that have neither succeeded nor failed; an array beside its children. */
  readonly liveJobs: ReadonlyArray<BatchJob>
  /** Adds a job, or changes fields of one; an array follows what its children (`{id}:{index}`) become. */
  readonly put: (job: BatchJob) => void
  /** What becomes of every call from now on, or of every call of this name; `null` ends it. */
  readonly refuse: (fault: BatchFault | null, call?: string) => void
  /** What becomes of the next calls of this name, one after the other; then they are as before. */
  readonly script: (call: string, faults: ReadonlyArray<BatchFault | "ok">) => void
  /** ListJobs does not know yet what was submitted since, until it is told to. */
  readonly hideFromLists: (hidden: boolean) => void
}

export interface BatchServerOptions extends BatchWorld {
  /** What becomes of a job each time that it is described; by default nothing moves. */
  readonly advance?: (job: BatchJob) => BatchJob
}

const pageLength = 100
const idsOfADescribe = 100

const Body = Schema.Record(Schema.String, Schema.Unknown)
const decodeBody = Schema.decodeUnknownSync(Schema.fromJsonString(Body))
const Submitted = Schema.Struct({
  jobName: Schema.String,
  jobQueue: Schema.String,
  jobDefinition: Schema.String,
  parameters: Schema.optional(Schema.Record(Schema.String, Schema.String)),
  arrayProperties: Schema.optional(Schema.Struct({ size: Schema.Int })),
  containerOverrides: Schema.optional(Schema.Struct({ environment: Schema.optional(Schema.Array(Schema.Unknown)) }))
})
const decodeSubmitted = Schema.decodeUnknownSync(Submitted)
const Listed = Schema.Struct({
  jobQueue: Schema.optional(Schema.String),
  arrayJobId: Schema.optional(Schema.String),
  jobStatus: Schema.optional(Schema.String),
  filters: Schema.optional(Schema.Array(Schema.Struct({ name: Schema.String, values: Schema.Array(Schema.String) }))),
  nextToken: Schema.optional(Schema.String)
})
const decodeListed = Schema.decodeUnknownSync(Listed)
const decodeIds = Schema.decodeUnknownSync(Schema.Struct({ jobs: Schema.Array(Schema.String) }))
const decodeEnding = Schema.decodeUnknownSync(Schema.Struct({ jobId: Schema.String, reason: Schema.String }))

type Answer = readonly [status: number, value: unknown]

const isLive = ({ status }: BatchJob): boolean => status !== "SUCCEEDED" && status !== "FAILED"

/** States in which CancelJob cancels; it answers success in the others too, and does nothing. */
const cancellable = new Set(["SUBMITTED", "PENDING", "RUNNABLE"])

/** The jobs of a Batch, and what each of its calls does with them. */
const makeBatch = (options: BatchServerOptions) => {
  const jobs = new Map<string, BatchJob>((options.jobs ?? []).map((job) => [job.jobId, job]))
  const unlisted = new Set<string>()
  let hides = false
  let submitted = 0

  const childrenOf = (arrayId: string): ReadonlyArray<BatchJob> =>
    [...jobs.values()].filter((job) => arrayOfChild(job) === arrayId)

  /** What a child becomes, its array becomes with it. */
  const put = (job: BatchJob): void => {
    jobs.set(job.jobId, { ...jobs.get(job.jobId), ...job })
    const array = jobs.get(arrayOfChild(job) ?? "")
    if (array !== undefined) jobs.set(array.jobId, arrayOf(array, childrenOf(array.jobId)))
  }

  const end = (body: unknown, may: (job: BatchJob) => boolean, mark: Record<string, unknown>): Answer => {
    const { jobId, reason } = decodeEnding(body)
    const job = jobs.get(jobId)
    if (job === undefined) return [200, {}]
    const children = childrenOf(jobId)
    const ended = { ...mark, statusReason: reason }
    // The array first: it ends for the reason given, and not for what becomes of its children.
    if (children.length > 0 && may(job)) put({ ...job, ...ended })
    for (const one of children.length > 0 ? children : [job]) if (may(one)) put({ ...one, ...ended, status: "FAILED" })
    return [200, {}]
  }

  const answer = (call: string, body: Readonly<Record<string, unknown>>): Answer => {
    switch (call) {
      case "/v1/submitjob": {
        const { containerOverrides, ...job } = decodeSubmitted(body)
        submitted += 1
        const jobId = `batch-${submitted}`
        const made: BatchJob = {
          ...job,
          jobId,
          jobArn: `arn:aws:batch:us-east-1:000000000000:job/${jobId}`,
          status: "SUBMITTED",
          createdAt: Date.now(),
          container: { environment: containerOverrides?.environment ?? [] },
          attempts: []
        }
        put(made)
        childrenOfArray(made, sizeOfArray(made) ?? 0).forEach(put)
        if (hides) unlisted.add(jobId)
        return [200, { jobId, jobName: job.jobName, jobArn: `arn:aws:batch:us-east-1:000000000000:job/${jobId}` }]
      }
      case "/v1/describejobs": {
        const { jobs: ids } = decodeIds(body)
        if (ids.length > idsOfADescribe) return [400, { message: `at most ${idsOfADescribe} jobs at once` }]
        const found = ids.flatMap((id) => jobs.get(id) ?? [])
        found.map((job) => options.advance?.(job) ?? job).forEach(put)
        return [200, { jobs: ids.flatMap((id) => jobs.get(id) ?? []) }]
      }
      case "/v1/listjobs": {
        const { arrayJobId, filters, jobStatus = "RUNNING", nextToken } = decodeListed(body)
        const names = filters?.find(({ name }) => name === "JOB_NAME")?.values
        // A queue's list has arrays and not their children. With a filter every status is looked through; without one, one.
        const found = [...jobs.values()].filter((job) =>
          !unlisted.has(job.jobId) && arrayOfChild(job) === (arrayJobId ?? null) &&
          (names === undefined ? job.status === jobStatus : names.includes(job.jobName))
        )
        const start = Number(nextToken ?? 0)
        return [200, {
          jobSummaryList: found.slice(start, start + pageLength)
            .map(({ arrayProperties, jobId, jobName, status }) => ({ jobId, jobName, status, arrayProperties })),
          ...(start + pageLength < found.length ? { nextToken: String(start + pageLength) } : {})
        }]
      }
      case "/v1/terminatejob":
        return end(body, isLive, { isTerminated: true })
      case "/v1/canceljob":
        return end(body, ({ status }) => cancellable.has(status), { isCancelled: true })
      case "/v1/describejobqueues":
        return [200, { jobQueues: options.jobQueues ?? [] }]
      case "/v1/describecomputeenvironments":
        return [200, { computeEnvironments: options.computeEnvironments ?? [] }]
      case "/v1/describejobdefinitions":
        return [200, { jobDefinitions: options.jobDefinitions ?? [] }]
      case "/v1/getjobqueuesnapshot":
        return [200, { frontOfQueue: options.frontOfQueue }]
      default: {
        const other = options.others?.[call]
        return other === undefined ? [404, { message: `there is no ${call}` }] : [200, other]
      }
    }
  }

  return {
    answer,
    put,
    all: () => [...jobs.values()],
    hideFromLists: (hidden: boolean): void => {
      hides = hidden
      if (!hidden) unlisted.clear()
    }
  }
}

/** The name of a call: a path of Batch's REST, a target of a JSON service, or the action of one asked by a form. */
const callOf = (path: string, target: string | string[] | undefined, sent: string): string =>
  typeof target === "string"
    ? target.slice(target.indexOf(".") + 1)
    : new URLSearchParams(sent).get("Action") ?? path

const bodyOf = (sent: string): Readonly<Record<string, unknown>> =>
  sent.startsWith("{") ? decodeBody(sent) : Object.fromEntries(new URLSearchParams(sent))

/** A service that is asked by a form answers in XML. */
const refusalFor = (sent: string, { code, status }: Exclude<BatchFault, string>): Answer => [
  status,
  sent.startsWith("{")
    ? { message: "refused" }
    : `<ErrorResponse><Error><Code>${code}</Code><Message>refused</Message></Error></ErrorResponse>`
]

const respond = (response: ServerResponse, [status, value]: Answer, code?: string): void => {
  response.writeHead(status, {
    "content-type": typeof value === "string" ? "text/xml" : "application/json",
    ...(code === undefined ? {} : { "x-amzn-errortype": code })
  })
  response.end(typeof value === "string" ? value : JSON.stringify(value))
}

/**
 * A server that answers as AWS Batch does, for real SDK clients: ids and statuses of jobs, arrays with their children and
 * the sum of their statuses, a hundred ids a describe, lists by name, status or array in pages, termination and cancellation as they are (the latter answers success and leaves a
 * started job alone), refusals, throttling, lost answers, and lists that lag behind. Other services' calls have fixed
 * answers.
 */
export const BatchServer = {
  make: Effect.fnUntraced(function*(
    options: BatchServerOptions = {}
  ): Effect.fn.Return<BatchServer, HarnessError, Scope.Scope> {
    const batch = makeBatch(options)
    const calls: Array<BatchCall> = []
    const scripts = new Map<string, Array<BatchFault | "ok">>()
    const refusals = new Map<string, BatchFault>()
    let refusal: BatchFault | null = null

    const server = createServer((request, response) => {
      void text(request).then((sent) => {
        const call = callOf(request.url ?? "", request.headers["x-amz-target"], sent)
        const body = bodyOf(sent)
        calls.push({ call, body })
        const fault = scripts.get(call)?.shift() ?? refusals.get(call) ?? refusal ?? "ok"
        if (fault === "silence") return
        if (typeof fault === "object") return respond(response, refusalFor(sent, fault), fault.code)
        const answer = batch.answer(call, body)
        if (fault === "ok") return respond(response, answer)
        if (fault === "broken after") return respond(response, [500, { message: "broken" }], "ServerException")
        response.destroy()
      })
    })
    yield* Effect.acquireRelease(
      Effect.callback<void, HarnessError>((resume) => {
        server.once("error", (cause) =>
          resume(Effect.fail(
            new HarnessError({ message: `Cannot listen for Batch: ${String(cause)}`, output: "", cause })
          )))
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
      calls,
      get jobs() {
        return batch.all()
      },
      get liveJobs() {
        return batch.all().filter(isLive)
      },
      put: batch.put,
      refuse: (fault, call) => {
        if (call === undefined) refusal = fault
        else if (fault === null) refusals.delete(call)
        else refusals.set(call, fault)
      },
      script: (call, faults) => {
        scripts.set(call, [...faults])
      },
      hideFromLists: batch.hideFromLists
    }
  })
}
