import * as Effect from "effect/Effect"

/**
 * A command's work, loaded when the command runs: a token must not wait for the database's code, nor `--help` for anybody's.
 */
export const loaded = <Input, A, E, R>(
  load: () => Promise<(input: Input) => Effect.Effect<A, E, R>>
) =>
(input: Input): Effect.Effect<A, E, R> => Effect.flatMap(Effect.promise(load), (run) => run(input))
