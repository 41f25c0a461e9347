import {
  BadConfiguration,
  messageContradictions,
  type MessageSettings,
  messageSettings,
  messageVariables,
  readEnvironment,
  type S3Settings,
  s3Settings,
  serviceContradictions,
  serviceVariables,
  sqsQueues
} from "@lectern/adapters/environment"
import { type Lane, lanes, type SqsQueues } from "@lectern/adapters/sqs"
import { Effect, Option, Redacted, Schema } from "effect"

const wholeNumber = (minimum: number, maximum: number) =>
  Schema.optionalKey(Schema.NumberFromString.check(Schema.isInt(), Schema.isBetween({ minimum, maximum })))

const isLane = (name: string): name is Lane => lanes.some((lane) => lane === name)

const namesOf = (text: string): ReadonlyArray<string> => text.split(",").map((name) => name.trim())

/** Names of queues with commas between them. */
const Tiers = Schema.String.check(
  Schema.makeFilter((text) =>
    namesOf(text).every(isLane) ? undefined : `some of ${lanes.join(", ")}, with commas between them`
  )
)

/** What a worker of the queues may be told beside its services. */
const workerVariables = {
  ...serviceVariables,
  ...messageVariables,
  WORKER_TIERS: Schema.optionalKey(Tiers),
  WORKER_CONCURRENCY: wholeNumber(1, 64),
  WORKER_MEMORY_MIB: wholeNumber(64, 1_048_576),
  WORKER_GRACE_SECONDS: wholeNumber(0, 3_600),
  LECTERN_LEASE_SECONDS: wholeNumber(2, 3_600),
  LECTERN_WORK_DIR: Schema.optionalKey(Schema.NonEmptyString)
}

export interface WorkerSettings {
  readonly database: Redacted.Redacted<string>
  readonly redis: Redacted.Redacted<string>
  readonly s3: S3Settings
  readonly pathStyle: boolean
  readonly region: string
  readonly queues: SqsQueues
  /** The queues that this worker serves, the most urgent first. */
  readonly receiveFrom: readonly [Lane, ...ReadonlyArray<Lane>]
  /** Jobs at a time of one tenant. */
  readonly concurrency: number
  /** `null`: by what the machine or the container has. */
  readonly memoryMiB: number | null
  readonly leaseMillis: number
  readonly graceMillis: number
  /** `null`: the machine's own place for such. */
  readonly workRoot: string | null
  readonly messages: MessageSettings
}

const defaults = { concurrency: 2, leaseSeconds: 60, graceSeconds: 15, region: "ap-northeast-2" } as const

/** The lanes of `WORKER_TIERS` in the order of their urgency; all of them where it is not set. */
const servedLanes = (tiers: string | undefined): WorkerSettings["receiveFrom"] => {
  if (tiers === undefined) return lanes
  const wanted = new Set(namesOf(tiers))
  const [first, ...others] = lanes.filter((lane) => wanted.has(lane))
  return first === undefined ? lanes : [first, ...others]
}

/** Everything that a worker needs to know, or every reason why it cannot work. */
export const readWorkerSettings = Effect.fnUntraced(function*(
  variables: Readonly<Record<string, string | undefined>>
): Effect.fn.Return<WorkerSettings, BadConfiguration> {
  const found = yield* readEnvironment(workerVariables, variables, (isSet) => [
    ...serviceContradictions(isSet),
    ...messageContradictions(isSet)
  ])
  const queues = sqsQueues(found)
  const s3 = s3Settings(found)
  const { DATABASE_URL, REDIS_URL } = found
  if (DATABASE_URL === undefined || REDIS_URL === undefined || Option.isNone(queues) || Option.isNone(s3)) {
    return yield* new BadConfiguration({
      faults: [
        ...DATABASE_URL === undefined ? ["DATABASE_URL: needed, for the jobs are there"] : [],
        // A worker without it would leave every progress unknown (INCIDENTS.md, 3).
        ...REDIS_URL === undefined ? ["REDIS_URL: needed, for progress is read from there alone"] : [],
        ...Option.isNone(queues)
          ? ["SQS_QUEUE_URL_LITE, _BASIC, _PREMIUM and _MESSAGING: needed, for jobs come from there"]
          : [],
        ...Option.isNone(s3) ? ["R2_ENDPOINT or S3_ENDPOINT: needed, for uploaded files are there"] : []
      ]
    })
  }
  return {
    database: Redacted.make(DATABASE_URL),
    redis: Redacted.make(REDIS_URL),
    s3: s3.value,
    pathStyle: found.R2_ENDPOINT === undefined,
    region: found.AWS_REGION ?? defaults.region,
    queues: queues.value,
    receiveFrom: servedLanes(found.WORKER_TIERS),
    concurrency: found.WORKER_CONCURRENCY ?? defaults.concurrency,
    memoryMiB: found.WORKER_MEMORY_MIB ?? null,
    leaseMillis: (found.LECTERN_LEASE_SECONDS ?? defaults.leaseSeconds) * 1000,
    graceMillis: (found.WORKER_GRACE_SECONDS ?? defaults.graceSeconds) * 1000,
    workRoot: found.LECTERN_WORK_DIR ?? null,
    messages: messageSettings(found)
  }
})
