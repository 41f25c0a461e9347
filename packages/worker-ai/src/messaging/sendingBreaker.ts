import { Layer, Schedule } from "effect"
import { CircuitBreaker } from "effect/persistence"

/** Calls in a row that may fail before a provider is left alone. */
const failuresInARow = 5

/**
 * The circuit breaker around providers of messages, by provider and call. It is this process's own: that another worker
 * finds a provider in trouble by itself costs five calls, none of which sends twice.
 */
export const sendingBreaker: Layer.Layer<CircuitBreaker.CircuitBreaker> = CircuitBreaker.layer({
  tripPolicy: CircuitBreaker.consecutive(failuresInARow),
  openDuration: Schedule.exponential("10 seconds").pipe(Schedule.upTo({ duration: "10 minutes" }))
}).pipe(Layer.provide(CircuitBreaker.layerStoreMemory()))
