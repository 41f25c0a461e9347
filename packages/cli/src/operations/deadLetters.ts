import { type DeadLetter, type DeadLetterQueue, visitDeadLetters } from "@lectern/adapters/sqs"
import {
  isActive,
  isTerminal,
  type Job,
  JobDispatcher,
  type JobMessage,
  JobRecorder,
  JobStore,
  newJobId,
  undispatched,
  type VideoId
} from "@lectern/domain"
import { DateTime, Effect, Option } from "effect"

const failedJobs = 1_000

/** What stopped for good and a person may put back: a job that was given up, or a message that was put aside. */
export interface DeadEnd {
  readonly kind: "job" | "message"
  /** The job that it is about; `null` for a message that nobody can read. */
  readonly jobId: string | null
  readonly tenantId: number | null
  readonly jobKind: string | null
  /** The job's state in the database: `GONE` where it has no row, `null` where nobody can tell which it is. */
  readonly state: string | null
  readonly reason: string | null
  /** ISO 8601, UTC: when the job was given up, or the message was sent. */
  readonly since: string | null
  /** The message word for word. */
  readonly body: string | null
}

/** What became of a wish to put something back. */
export interface Redriven {
  readonly jobId: string
  readonly outcome:
    /** The row agreed: it waits again, and the sweep hands it over. */
    | "PutBack"
    /** The row waits already: it was handed over again. */
    | "HandedOver"
    /** The row has ended: there is nothing to do, and its message was removed. */
    | "Over"
    /** Somebody works on it. */
    | "Busy"
    /** The row did not agree, or is gone. */
    | "Refused"
  readonly detail: string
}

const iso = (millis: number | null): string | null =>
  millis === null ? null : DateTime.formatIso(DateTime.makeUnsafe(millis))

const ofJob = (job: Job): DeadEnd => ({
  kind: "job",
  jobId: job.id,
  tenantId: job.tenantId,
  jobKind: job.kind,
  state: job.status,
  reason: job.errorCode === null ? job.errorMessage : `${job.errorCode}: ${job.errorMessage ?? ""}`,
  since: iso(job.updatedAt),
  body: null
})

const rowOf = Effect.fnUntraced(function*(message: JobMessage) {
  const store = yield* JobStore
  return yield* store.getJob(message.tenant_id, message.job_id).pipe(
    Effect.map(({ job }) => Option.some(job)),
    Effect.catchTag("JobNotFound", () => Effect.succeed(Option.none<Job>()))
  )
})

const ofLetter = Effect.fnUntraced(function*(letter: DeadLetter) {
  const row = Option.isNone(letter.message) ? Option.none<Job>() : yield* rowOf(letter.message.value)
  return {
    kind: "message",
    jobId: Option.getOrNull(Option.map(letter.message, ({ job_id }) => job_id)),
    tenantId: Option.getOrNull(Option.map(letter.message, ({ tenant_id }) => tenant_id)),
    jobKind: Option.getOrNull(Option.map(letter.message, ({ job_type }) => job_type)),
    state: Option.isNone(letter.message)
      ? null
      : Option.match(row, { onNone: () => "GONE", onSome: ({ status }) => status }),
    reason: Option.isNone(letter.message)
      ? "no message of ours"
      : Option.getOrNull(Option.map(row, ({ errorMessage }) => errorMessage)),
    since: iso(letter.sentAt),
    body: letter.body
  } satisfies DeadEnd
})

/** Every job that was given up and every message that was put aside; nothing is changed. */
export const listDeadEnds = Effect.fn("Operations.listDeadEnds")(function*(queues: ReadonlyArray<DeadLetterQueue>) {
  const store = yield* JobStore
  const failed = yield* store.findGivenUp(failedJobs)
  const letters = yield* Effect.forEach(queues, (queue) => visitDeadLetters(queue, ofLetter))
  return [...failed.map(ofJob), ...letters.flat()] satisfies ReadonlyArray<DeadEnd>
})

const conclude = (job: Job, outcome: Redriven["outcome"], detail: string): Redriven =>
  ({ jobId: job.id, outcome, detail })

/** A video gets a new encode, as a retry by its teacher would give it. */
const encodeAgain = Effect.fnUntraced(function*(job: Job, videoId: VideoId) {
  const store = yield* JobStore
  const recorder = yield* JobRecorder
  const id = yield* newJobId
  return yield* recorder.commit(store.retryEncode(job.tenantId, videoId, id)).pipe(
    Effect.as(conclude(job, "PutBack", `job "${id}" takes its place; the sweep submits it`)),
    Effect.catchTags({
      VideoConflict: (error) => Effect.succeed(conclude(job, "Refused", error.message)),
      VideoNotFound: (error) => Effect.succeed(conclude(job, "Refused", error.message))
    })
  )
})

/** What a queue carried goes on with its own row. */
const reopen = Effect.fnUntraced(function*(job: Job) {
  const store = yield* JobStore
  const recorder = yield* JobRecorder
  const receipt = yield* Effect.catchTag(
    store.intervene({ tenantId: job.tenantId, jobId: job.id }, { _tag: "Redrive" }),
    "JobNotFound",
    () => Effect.succeed(null)
  )
  if (receipt === null) return conclude(job, "Refused", "it was not given up, or has no attempt left")
  yield* recorder.commit(Effect.succeed(receipt))
  return conclude(job, "PutBack", "it waits again; the sweep hands it over")
})

/** What would be done with a job, by its row alone. */
const plan = (job: Job): Redriven => {
  if (isActive(job.status)) return conclude(job, "Busy", `it is ${job.status} in attempt ${job.attempt}`)
  if (job.status === "FAILED") return conclude(job, "PutBack", "it was given up and will wait again")
  return isTerminal(job.status)
    ? conclude(job, "Over", `it is ${job.status}`)
    : conclude(job, "HandedOver", "it waits and will be handed over again")
}

const handOver = Effect.fnUntraced(function*(job: Job) {
  const dispatcher = yield* JobDispatcher
  const outcome = yield* dispatcher.dispatch(undispatched(job))
  return outcome === "Dispatched"
    ? conclude(job, "HandedOver", "it was handed over again")
    : conclude(job, "Busy", "its last submission is still open; the sweep finishes it")
})

const carryOut = (job: Job, planned: Redriven) => {
  switch (planned.outcome) {
    case "PutBack":
      return job.videoId === null ? reopen(job) : encodeAgain(job, job.videoId)
    case "HandedOver":
      return handOver(job)
    case "Over":
    case "Busy":
    case "Refused":
      return Effect.succeed(planned)
  }
}

export interface RedriveOptions {
  /** The jobs that are meant; `null` for all. */
  readonly jobIds: ReadonlySet<string> | null
  /** Says what would be done, and does nothing. */
  readonly dryRun: boolean
}

/**
 * Puts back what stopped for good, if its row agrees: the row first, then its message is removed. A message is never sent
 * back as it is; the row makes a new one. Said twice, the second time finds nothing to do.
 */
export const redrive = Effect.fn("Operations.redrive")(function*(
  queues: ReadonlyArray<DeadLetterQueue>,
  { dryRun, jobIds }: RedriveOptions
) {
  const store = yield* JobStore
  const done = new Map<string, Redriven>()
  const isMeant = (jobId: string): boolean => jobIds === null || jobIds.has(jobId)

  const once = Effect.fnUntraced(function*(job: Job) {
    const name = `${job.tenantId}/${job.id}`
    const before = done.get(name)
    if (before !== undefined) return before
    const planned = plan(job)
    const redriven = dryRun ? planned : yield* carryOut(job, planned)
    done.set(name, redriven)
    return redriven
  })

  for (const job of yield* store.findGivenUp(failedJobs)) if (isMeant(job.id)) yield* once(job)
  for (const queue of queues) {
    yield* visitDeadLetters(queue, (letter) =>
      Effect.gen(function*() {
        if (Option.isNone(letter.message) || !isMeant(letter.message.value.job_id)) return
        const row = yield* rowOf(letter.message.value)
        if (Option.isNone(row)) return
        const { outcome } = yield* once(row.value)
        if (!dryRun && (outcome === "PutBack" || outcome === "HandedOver" || outcome === "Over")) yield* letter.remove
      }))
  }
  const missed = [...jobIds ?? []].filter((jobId) => ![...done.values()].some((redriven) => redriven.jobId === jobId))
  return [
    ...done.values(),
    ...missed.map((jobId): Redriven => ({
      jobId,
      outcome: "Refused",
      detail: "no such job was given up, and no message of it put aside"
    }))
  ]
})
