import { batchVariables } from "@lectern/adapters/batch"
import {
  type BadConfiguration,
  encodeArray,
  logVariables,
  messageSettings,
  messageVariables,
  readEnvironment,
  type S3Settings,
  s3Settings,
  serverVariables,
  serviceContradictions,
  serviceVariables,
  sqsQueues
} from "@lectern/adapters/environment"
import type { SqsQueues } from "@lectern/adapters/sqs"
import type { EncodeArray } from "@lectern/domain"
import type { MessagingTerms } from "./MessagingHandlers.ts"
import { Effect, Option, Redacted, Schema } from "effect"

/** What an origin may be told. It has no stand-ins: what it takes in is worked on by other programs. */
const originVariables = {
  ...serviceVariables,
  ...serverVariables,
  ...messageVariables,
  ...logVariables,
  DATABASE_URL: Schema.requiredKey(serviceVariables.DATABASE_URL),
  REDIS_URL: Schema.requiredKey(serviceVariables.REDIS_URL),
  AUTH_JWT_SECRET: Schema.requiredKey(serverVariables.AUTH_JWT_SECRET),
  PUBLIC_URL: Schema.requiredKey(serverVariables.PUBLIC_URL),
  HOST: Schema.optionalKey(Schema.NonEmptyString)
}

export interface OriginSettings {
  /** The address to listen on; every one by default, for what runs in a container is reached from outside of it. */
  readonly host: string
  readonly port: number
  /** Where browsers reach it, without a slash at the end. */
  readonly publicUrl: string
  /** Signs tokens and the addresses of objects. */
  readonly secret: Redacted.Redacted<string>
  readonly database: Redacted.Redacted<string>
  readonly redis: Redacted.Redacted<string>
  readonly s3: S3Settings
  readonly pathStyle: boolean
  /** `null`: playback goes through the origin itself. */
  readonly mediaBaseUrl: string | null
  readonly region: string
  readonly messaging: MessagingTerms
  readonly queues: SqsQueues
  readonly batch: { readonly jobQueue: string; readonly jobDefinition: string }
  readonly array: EncodeArray
}

const defaults = { host: "0.0.0.0", port: 8787, region: "ap-northeast-2" } as const

const lacks = (isSet: (name: string) => boolean): ReadonlyArray<string> => [
  ...["R2_ENDPOINT", "S3_ENDPOINT"].some(isSet) ? [] : ["R2_ENDPOINT or S3_ENDPOINT: needed, for uploads go there"],
  ...isSet("SQS_QUEUE_URL_BASIC")
    ? []
    : ["SQS_QUEUE_URL_LITE, _BASIC, _PREMIUM and _MESSAGING: needed, for jobs go there"]
]

/** Everything that an origin needs to know, or every reason why it cannot start. */
export const readOriginSettings = (
  variables: Readonly<Record<string, string | undefined>>
): Effect.Effect<OriginSettings, BadConfiguration> =>
  Effect.gen(function*() {
    const found = yield* readEnvironment(originVariables, variables, (isSet) => [
      ...serviceContradictions(isSet),
      ...lacks(isSet)
    ])
    return {
      host: found.HOST ?? defaults.host,
      port: found.PORT ?? defaults.port,
      publicUrl: found.PUBLIC_URL.replace(/\/+$/, ""),
      secret: Redacted.make(found.AUTH_JWT_SECRET),
      database: Redacted.make(found.DATABASE_URL),
      redis: Redacted.make(found.REDIS_URL),
      // Both are complete: half of a set contradicts itself, and so does none.
      s3: Option.getOrThrow(s3Settings(found)),
      queues: Option.getOrThrow(sqsQueues(found)),
      pathStyle: found.R2_ENDPOINT === undefined,
      mediaBaseUrl: found.MEDIA_BASE_URL ?? null,
      region: found.AWS_REGION ?? defaults.region,
      messaging: messageSettings(found),
      batch: {
        jobQueue: found.VIDEO_BATCH_JOB_QUEUE ?? batchVariables.jobQueue.default,
        jobDefinition: found.VIDEO_BATCH_JOB_DEFINITION ?? batchVariables.jobDefinition.default
      },
      array: encodeArray(found)
    }
  })
