/** How every client of AWS is made here, and how its calls end: in time, and with a fault that says whether to try again. */
import { Effect, Redacted, Schema } from "effect"

export interface AwsClientOptions {
  /** Without it the SDK looks into the environment and its configuration files. */
  readonly region?: string
  /** Where the service is, when it is not AWS's own. */
  readonly endpoint?: string
  /** Without them the SDK looks for its own: environment, instance or container role. */
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: Redacted.Redacted<string> }
  /** How long one attempt may take, in milliseconds; 10,000 by default. */
  readonly requestTimeoutMillis?: number
  /** How often a call is tried in all; 3 by default. */
  readonly maxAttempts?: number
}

const defaultRequestTimeoutMillis = 10_000
export const defaultMaxAttempts = 3
const maxConnectionTimeoutMillis = 3_000

/** What the constructor of an SDK client takes. */
export const clientConfig = (options: AwsClientOptions) => {
  const requestTimeout = options.requestTimeoutMillis ?? defaultRequestTimeoutMillis
  return {
    ...(options.region === undefined ? {} : { region: options.region }),
    ...(options.endpoint === undefined ? {} : { endpoint: options.endpoint }),
    ...(options.credentials === undefined ? {} : {
      credentials: {
        accessKeyId: options.credentials.accessKeyId,
        secretAccessKey: Redacted.value(options.credentials.secretAccessKey)
      }
    }),
    maxAttempts: options.maxAttempts ?? defaultMaxAttempts,
    requestHandler: {
      connectionTimeout: Math.min(requestTimeout, maxConnectionTimeoutMillis),
      requestTimeout,
      // Without it the SDK only warns when the time is over.
      throwOnRequestTimeout: true,
      socketTimeout: requestTimeout
    }
  }
}

/** What of an SDK's error is looked at. */
const ServiceFault = Schema.Struct({
  name: Schema.String,
  $metadata: Schema.Struct({ httpStatusCode: Schema.optionalKey(Schema.NullishOr(Schema.Int)) })
})

const isServiceFault = Schema.is(ServiceFault)

/** Names under which AWS tells a caller to slow down; some of them come with status 400. */
const throttling = new RegExp(
  "^(Throttl|TooManyRequests|RequestLimitExceeded|RequestThrottled|SlowDown|BandwidthLimit|ProvisionedThroughput"
    + "|PriorRequestNotComplete)"
)

/** The HTTP status of an answer, or `null` when there was none. */
export const statusOf = (cause: unknown): number | null =>
  isServiceFault(cause) ? cause.$metadata.httpStatusCode ?? null : null

/** The name of an SDK's error, such as `NoSuchKey`, or `null`. */
export const faultName = (cause: unknown): string | null => isServiceFault(cause) ? cause.name : null

/** Credentials that were not found are no matter of time; a connection that was refused or timed out is. */
const isConfiguration = (cause: unknown): boolean => cause instanceof Error && cause.name === "CredentialsProviderError"

/** Whether the same call may succeed later: the network, a server's fault, throttling. A refusal stays one. */
export const isRetryable = (cause: unknown): boolean => {
  const status = statusOf(cause)
  if (status === null) return !isConfiguration(cause)
  return status >= 500 || status === 408 || isThrottled(cause)
}

/** Faults of a connection that was never made. */
const notConnected = new Set(["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH"])

const isNotConnected = (cause: unknown): boolean =>
  cause instanceof Error && "code" in cause && typeof cause.code === "string" && notConnected.has(cause.code)

/**
 * Whether the call certainly did nothing: it was refused, or never left us. A server's fault, a timeout or a broken
 * connection leave that open.
 */
export const didNothing = (cause: unknown): boolean => {
  const status = statusOf(cause)
  if (status === null) return isConfiguration(cause) || isNotConnected(cause)
  return status >= 400 && status < 500 && status !== 408
}

/** Whether AWS asks its caller to slow down. */
export const isThrottled = (cause: unknown): boolean =>
  statusOf(cause) === 429 || throttling.test(faultName(cause) ?? "")

/** One call of an SDK client; interruption aborts it. */
export const call = <A, E>(send: (signal: AbortSignal) => Promise<A>, failed: (cause: unknown) => E): Effect.Effect<A, E> =>
  Effect.tryPromise({ try: (signal) => send(signal), catch: failed })
