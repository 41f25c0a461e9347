import {
  type MessageBatch,
  type MessageProvider,
  type PreparedBatch,
  type ProviderRefused,
  ProviderUnavailable,
  type RefusedMessage
} from "@lectern/domain"
import { Duration, Effect, type Exit, Schedule } from "effect"
import { CircuitBreaker } from "effect/persistence"

/** What became of a batch that was to be sent. */
export interface Sending {
  /** What the ledger has to be told; `null` when nobody could be asked, and somebody has to be later. */
  readonly event: "confirm" | "withdraw" | "doubt" | null
  readonly refused: ReadonlyArray<RefusedMessage>
  /** How long the provider wants to be left alone, in milliseconds; `null` when it does not. */
  readonly restMillis: number | null
}

/**
 * A provider whose every call goes through the breaker, and whose submissions always end in something that can be
 * written down.
 */
export interface GuardedProvider {
  readonly name: string
  readonly reaches: boolean
  readonly maxBatch: number
  readonly prepare: (batch: MessageBatch) => Effect.Effect<PreparedBatch, ProviderUnavailable | ProviderRefused>
  readonly submit: (prepared: PreparedBatch, batch: MessageBatch) => Effect.Effect<Sending>
  /** What became of a batch that was to be sent, by this attempt or one that died. */
  readonly settle: (ticket: string) => Effect.Effect<Sending>
}

/** What a provider is left alone for when it does not say, in milliseconds. */
const shortRestMillis = 1_000

const askAgain = { times: 2, schedule: Schedule.spaced(shortRestMillis) }

const sending = (event: Sending["event"], restMillis: number | null = null): Sending => ({
  event,
  refused: [],
  restMillis
})

export const restOf = (error: ProviderUnavailable): number => error.retryAfterMillis ?? shortRestMillis

/** A refusal is an answer: the provider works. */
const outcomeOf = <A, E extends { readonly _tag: string; readonly retryAfterMillis?: number | null }>(
  exit: Exit.Exit<A, E>
): CircuitBreaker.Outcome => {
  if (exit._tag === "Success") return CircuitBreaker.success
  const error = exit.cause.reasons.find((reason) => reason._tag === "Fail")?.error
  if (error === undefined) return CircuitBreaker.ignored
  if (error._tag === "ProviderRefused") return CircuitBreaker.success
  return typeof error.retryAfterMillis === "number"
    ? CircuitBreaker.failure({ retryAfter: error.retryAfterMillis })
    : CircuitBreaker.failure()
}

export const guardProvider = (provider: MessageProvider, breaker: CircuitBreaker.CircuitBreaker): GuardedProvider => {
  const rested = (operation: string) => (error: CircuitBreaker.CircuitBreakerError): ProviderUnavailable =>
    new ProviderUnavailable({
      provider: provider.name,
      operation,
      retryAfterMillis: error.reason._tag === "CircuitOpen"
        ? Math.ceil(Duration.toMillis(error.reason.retryAfter))
        : null,
      cause: error
    })

  const through = <A, E extends { readonly _tag: string; readonly retryAfterMillis?: number | null }>(
    operation: string,
    call: Effect.Effect<A, E>
  ) => breaker.execute(call, { key: `${provider.name} ${operation}`, classify: outcomeOf })

  const settle = (ticket: string): Effect.Effect<Sending> =>
    provider.resolve(ticket).pipe(
      Effect.retry(askAgain),
      Effect.map((verdict): Sending => {
        switch (verdict) {
          case "Sent":
            return sending("confirm")
          case "Withdrawn":
            return sending("withdraw", shortRestMillis)
          case "Unknown":
            return sending("doubt")
        }
      }),
      Effect.catchTag("ProviderUnavailable", (error) =>
        Effect.as(
          Effect.logWarning("A provider cannot be asked what it sent", { error: error.message }),
          sending(null, restOf(error))
        ))
    )

  return {
    name: provider.name,
    reaches: provider.reaches,
    maxBatch: provider.maxBatch,
    prepare: (batch) =>
      Effect.catchTag(through("prepare", provider.prepare(batch)), "CircuitBreakerError", (error) =>
        Effect.fail(rested("prepare messages")(error))),
    submit: (prepared, batch) =>
      through("submit", provider.submit(prepared, batch)).pipe(
        Effect.map((refused): Sending => ({ ...sending("confirm"), refused })),
        Effect.catchTags({
          // Nothing was sent, and nobody else has the ticket.
          ProviderUnavailable: (error) => Effect.succeed(sending("withdraw", restOf(error))),
          CircuitBreakerError: (error) => Effect.succeed(sending("withdraw", restOf(rested("send messages")(error)))),
          SubmissionDoubtful: (error) =>
            Effect.andThen(
              Effect.logWarning("A provider is asked whether it sent a batch", { error: error.message }),
              settle(prepared.ticket)
            )
        })
      ),
    settle
  }
}
