import { Effect, Pull, type Scope, Stream } from "effect"

/**
 * A stream whose first chunk is there already, so that a source which fails at once still gets an error with a status.
 * A source that fails later cuts the connection: its length was announced, so the client knows that the answer is not
 * whole.
 */
export const primedStream = <E>(
  stream: Stream.Stream<Uint8Array, E>
): Effect.Effect<Stream.Stream<Uint8Array, E>, E, Scope.Scope> =>
  Effect.gen(function*() {
    const pull = yield* Stream.toPull(stream)
    return yield* Pull.matchEffect(pull, {
      onSuccess: (first) =>
        Effect.succeed(Stream.concat(Stream.fromIterable(first), Stream.fromPull(Effect.succeed(pull)))),
      onFailure: Effect.failCause,
      onDone: () => Effect.succeed(Stream.empty)
    })
  })
