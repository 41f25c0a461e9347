import * as Predicate from "effect/Predicate"

/**
 * An error and what lies beneath it, outermost first: by `reason`, which is where Effect's errors keep it, else by
 * `cause`. `most` of them: the causes of a driver may be a ring.
 */
export function* causesOf(error: unknown, most: number): Generator<unknown> {
  let current = error
  for (let depth = 0; depth < most && current !== undefined && current !== null; depth += 1) {
    yield current
    current = Predicate.hasProperty(current, "reason")
      ? current.reason
      : Predicate.hasProperty(current, "cause")
      ? current.cause
      : undefined
  }
}
