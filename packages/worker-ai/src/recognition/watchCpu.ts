import { Effect } from "effect"

/** How often a thread is looked at. */
const lookEvery = "500 millis"

/**
 * Watches what work on a thread costs, says `pulse` whenever that has moved, and ends with what it cost when it is
 * more than `budgetMillis`. Never by the clock on the wall: a machine that is busy with other things is slow at
 * everybody's expense.
 */
export const watchCpu = (
  spentMillis: Effect.Effect<number>,
  budgetMillis: number,
  pulse: Effect.Effect<void>
): Effect.Effect<number> =>
  Effect.gen(function*() {
    let before = yield* spentMillis
    while (true) {
      yield* Effect.sleep(lookEvery)
      const now = yield* spentMillis
      if (now > budgetMillis) return now
      if (now > before) yield* pulse
      before = now
    }
  })
