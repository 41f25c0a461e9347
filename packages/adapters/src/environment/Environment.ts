import type { EncodeArray } from "@lectern/domain"
import { Effect, LogLevel, Option, Redacted, Schema, SchemaIssue } from "effect"
import { batchVariables } from "../batch/BatchNames.ts"
import type { SqsQueue, SqsQueues } from "../sqs/JobQueueSqs.ts"

const Port = Schema.NumberFromString.check(Schema.isInt(), Schema.isBetween({ minimum: 0, maximum: 65_535 }))
const Url = (...schemes: ReadonlyArray<string>) =>
  Schema.String.check(
    Schema.makeFilter((text) =>
      schemes.some((scheme) => text.startsWith(`${scheme}://`)) && URL.canParse(text)
        ? undefined
        : `an address that starts with ${schemes.map((scheme) => `${scheme}://`).join(" or ")}`
    )
  )
const Secret = Schema.String.check(Schema.isMinLength(32))
const optional = Schema.optionalKey

/** The services that a process may be given. Each replaces its stand-in by one variable or one set; nothing is required. */
export const serviceVariables = {
  DATABASE_URL: optional(Url("postgres", "postgresql")),
  DATABASE_DRIVER: optional(Schema.Literals(["tcp", "neon"])),
  REDIS_URL: optional(Url("redis", "rediss")),
  S3_ENDPOINT: optional(Url("http", "https")),
  S3_BUCKET: optional(Schema.NonEmptyString),
  S3_REGION: optional(Schema.NonEmptyString),
  S3_ACCESS_KEY_ID: optional(Schema.NonEmptyString),
  S3_SECRET_ACCESS_KEY: optional(Schema.NonEmptyString),
  R2_ENDPOINT: optional(Url("https", "http")),
  R2_BUCKET: optional(Schema.NonEmptyString),
  R2_ACCESS_KEY: optional(Schema.NonEmptyString),
  R2_SECRET_KEY: optional(Schema.NonEmptyString),
  MEDIA_BASE_URL: optional(Url("http", "https")),
  SQS_QUEUE_URL_LITE: optional(Url("http", "https")),
  SQS_QUEUE_URL_BASIC: optional(Url("http", "https")),
  SQS_QUEUE_URL_PREMIUM: optional(Url("http", "https")),
  SQS_QUEUE_URL_MESSAGING: optional(Url("http", "https")),
  AWS_REGION: optional(Schema.NonEmptyString),
  VIDEO_BATCH_JOB_QUEUE: optional(Schema.NonEmptyString),
  VIDEO_BATCH_JOB_DEFINITION: optional(Schema.NonEmptyString),
  VIDEO_BATCH_MAX_CONTAINERS: optional(
    Schema.NumberFromString.check(Schema.isInt(), Schema.isBetween({ minimum: 1, maximum: 100 }))
  ),
  VIDEO_BATCH_GB_PER_CONTAINER: optional(
    Schema.NumberFromString.check(Schema.isBetween({ minimum: 0.1, maximum: 1_000 }))
  )
}
export type Services = Schema.Struct.Type<typeof serviceVariables>

/** What an HTTP server of ours may be told. */
export const serverVariables = {
  PORT: optional(Port),
  PUBLIC_URL: optional(Url("http", "https")),
  AUTH_JWT_SECRET: optional(Secret)
}

/** What a program may be told of its logs and of where they are exported to. */
export const logVariables = {
  LOG_LEVEL: optional(Schema.String.check(
    Schema.makeFilter((text) =>
      LogLevel.values.some((level) => level.toLowerCase() === text.toLowerCase())
        ? undefined
        : `one of ${LogLevel.values.join(", ")}`
    )
  )),
  OTEL_EXPORTER_OTLP_ENDPOINT: optional(Url("http", "https"))
}

/** The environment holds values that cannot be worked with; `faults` names each of them. */
export class BadConfiguration extends Schema.TaggedError<BadConfiguration>()("BadConfiguration", {
  faults: Schema.Array(Schema.String)
}) {
  override get message(): string {
    return `Cannot start with this configuration:\n${this.faults.map((fault) => `  - ${fault}`).join("\n")}`
  }
}

const formatIssue = SchemaIssue.makeFormatterStandardSchemaV1()

/** Whether a variable is set, valid or not. */
type IsSet = (name: string) => boolean

/**
 * Reads the named variables of an environment as a whole and refuses them with every fault named at once: values that
 * are wrong, and what `contradictions` finds in which of them are set. An empty variable counts as unset; a value is
 * never part of a message.
 */
export const readEnvironment = <Fields extends Schema.Struct.Fields>(
  fields: Fields,
  variables: Readonly<Record<string, string | undefined>>,
  contradictions: (isSet: IsSet) => ReadonlyArray<string> = () => []
): Effect.Effect<Schema.Struct<Fields>["Type"], BadConfiguration, Schema.Struct<Fields>["DecodingServices"]> => {
  const known = new Map(
    Object.keys(fields).flatMap((name): ReadonlyArray<readonly [string, string]> => {
      const value = variables[name]?.trim()
      return value === undefined || value === "" ? [] : [[name, value]]
    })
  )
  const contradicting = contradictions((name) => known.has(name))
  return Schema.decodeUnknownEffect(Schema.Struct(fields), { errors: "all" })(Object.fromEntries(known)).pipe(
    Effect.mapError((error) =>
      formatIssue(error.issue).issues.map((issue) => {
        const name = String(issue.path?.[0] ?? "environment")
        return known.has(name) ? `${name}: ${withoutValue(issue.message)}` : `${name} is needed, and not set`
      })
    ),
    Effect.matchEffect({
      onFailure: (faults) => Effect.fail(new BadConfiguration({ faults: [...faults, ...contradicting] })),
      onSuccess: (found) =>
        contradicting.length === 0
          ? Effect.succeed(found)
          : Effect.fail(new BadConfiguration({ faults: contradicting }))
    })
  )
}

/** A schema's message quotes what it got, which may be a secret. */
const withoutValue = (message: string): string => message.replace(/,? got .*$/s, "")

/** Services that cannot work together. */
export const serviceContradictions = (isSet: IsSet): ReadonlyArray<string> => {
  const faults: Array<string> = []
  const together = (names: ReadonlyArray<keyof Services>): void => {
    const missing = names.filter((name) => !isSet(name))
    if (missing.length > 0 && missing.length < names.length) {
      faults.push(`${missing.join(", ")}: needed together with ${names.filter((n) => !missing.includes(n)).join(", ")}`)
    }
  }
  together(["R2_ENDPOINT", "R2_BUCKET", "R2_ACCESS_KEY", "R2_SECRET_KEY"])
  together(["S3_ENDPOINT", "S3_BUCKET", "S3_ACCESS_KEY_ID", "S3_SECRET_ACCESS_KEY"])
  together(["SQS_QUEUE_URL_LITE", "SQS_QUEUE_URL_BASIC", "SQS_QUEUE_URL_PREMIUM", "SQS_QUEUE_URL_MESSAGING"])
  if (isSet("R2_ENDPOINT") && isSet("S3_ENDPOINT")) {
    faults.push("R2_ENDPOINT and S3_ENDPOINT: one object store at a time")
  }
  if (isSet("VIDEO_BATCH_GB_PER_CONTAINER") && !isSet("VIDEO_BATCH_MAX_CONTAINERS")) {
    faults.push("VIDEO_BATCH_MAX_CONTAINERS: needed together with VIDEO_BATCH_GB_PER_CONTAINER")
  }
  if (isSet("VIDEO_BATCH_JOB_QUEUE")) {
    const unreachable = "an encode on Batch cannot reach this machine's stand-in"
    if (!isSet("DATABASE_URL")) faults.push(`DATABASE_URL: ${unreachable}`)
    if (!isSet("R2_ENDPOINT") && !isSet("S3_ENDPOINT")) faults.push(`R2_ENDPOINT or S3_ENDPOINT: ${unreachable}`)
  }
  return faults
}

const withDeadLetters = (url: string): SqsQueue => ({ url, deadLetterUrl: `${url}-dlq` })

/** The queues that the environment names, each with its dead letters beside it (CONTRACT.md, section 7). */
export const sqsQueues = (environment: Services): Option.Option<SqsQueues> => {
  const { SQS_QUEUE_URL_BASIC, SQS_QUEUE_URL_LITE, SQS_QUEUE_URL_MESSAGING, SQS_QUEUE_URL_PREMIUM } = environment
  return SQS_QUEUE_URL_LITE !== undefined && SQS_QUEUE_URL_BASIC !== undefined && SQS_QUEUE_URL_PREMIUM !== undefined &&
      SQS_QUEUE_URL_MESSAGING !== undefined
    ? Option.some({
      lite: withDeadLetters(SQS_QUEUE_URL_LITE),
      basic: withDeadLetters(SQS_QUEUE_URL_BASIC),
      premium: withDeadLetters(SQS_QUEUE_URL_PREMIUM),
      messaging: withDeadLetters(SQS_QUEUE_URL_MESSAGING)
    })
    : Option.none()
}

/** In how many containers of Batch an upload is encoded; one, where the environment says nothing. */
export const encodeArray = (environment: Services): EncodeArray => ({
  bytesPerContainer: (environment.VIDEO_BATCH_GB_PER_CONTAINER ?? batchVariables.gigabytesPerContainer.default) * 1e9,
  mostContainers: environment.VIDEO_BATCH_MAX_CONTAINERS ?? batchVariables.maxContainers.default
})

export interface S3Settings {
  readonly endpoint: string
  readonly bucket: string
  readonly region: string
  readonly accessKeyId: string
  readonly secretAccessKey: Redacted.Redacted<string>
}

/** The object store that the environment names, in R2's words or S3's. */
export const s3Settings = (environment: Services): Option.Option<S3Settings> => {
  const { R2_ACCESS_KEY, R2_BUCKET, R2_ENDPOINT, R2_SECRET_KEY } = environment
  if (R2_ENDPOINT !== undefined && R2_BUCKET !== undefined && R2_ACCESS_KEY !== undefined && R2_SECRET_KEY !== undefined) {
    return Option.some({
      endpoint: R2_ENDPOINT,
      bucket: R2_BUCKET,
      region: "auto",
      accessKeyId: R2_ACCESS_KEY,
      secretAccessKey: Redacted.make(R2_SECRET_KEY)
    })
  }
  const { S3_ACCESS_KEY_ID, S3_BUCKET, S3_ENDPOINT, S3_REGION, S3_SECRET_ACCESS_KEY } = environment
  return S3_ENDPOINT !== undefined && S3_BUCKET !== undefined && S3_ACCESS_KEY_ID !== undefined &&
      S3_SECRET_ACCESS_KEY !== undefined
    ? Option.some({
      endpoint: S3_ENDPOINT,
      bucket: S3_BUCKET,
      region: S3_REGION ?? "us-east-1",
      accessKeyId: S3_ACCESS_KEY_ID,
      secretAccessKey: Redacted.make(S3_SECRET_ACCESS_KEY)
    })
    : Option.none()
}
