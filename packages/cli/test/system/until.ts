import { Effect, Ref, Schedule, Schema } from "effect"

/** What was waited for was not seen in the looks that there are. */
export class NotSeen extends Schema.TaggedError<NotSeen>()("NotSeen", {
  what: Schema.String,
  looks: Schema.Int,
  last: Schema.Unknown
}) {
  override get message(): string {
    return `Cannot see ${this.what} in ${this.looks} looks: the last one saw ${JSON.stringify(this.last)}`
  }
}

/** Looks again and again until it sees what it waits for, a bounded number of times. */
export const until = <A, E, R>(
  what: string,
  look: Effect.Effect<A, E, R>,
  seen: (found: A) => boolean,
  options: { readonly looks: number } = { looks: 900 }
): Effect.Effect<A, E | NotSeen, R> =>
  Effect.gen(function*() {
    const last = yield* Ref.make<unknown>(null)
    const once = look.pipe(
      Effect.tap((found) => Ref.set(last, found)),
      Effect.flatMap((found) =>
        seen(found) ? Effect.succeed(found) : Effect.fail(new NotSeen({ what, looks: options.looks, last: null }))
      )
    )
    return yield* once.pipe(
      Effect.retry({
        schedule: Schedule.spaced("100 millis"),
        times: options.looks - 1,
        while: (error) => error instanceof NotSeen
      }),
      Effect.catchIf(
        (error): error is NotSeen => error instanceof NotSeen,
        () => Effect.flatMap(Ref.get(last), (found) => Effect.fail(new NotSeen({ what, looks: options.looks, last: found })))
      )
    )
  })
