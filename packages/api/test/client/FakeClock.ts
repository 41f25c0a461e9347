/**
 * A clock that stands still until a test moves it, and then lets everything that falls due happen in its order. Waits
 * in which the client gathers what begins together are over in the next turn, at the same time.
 */
import type { Clock } from "../../src/client/index.ts"
import { gathering } from "../../src/client/pollingPace.ts"

interface Timer {
  readonly at: number
  readonly task: () => void
}

/** Lets all that is ready run: promises first, then what they led to. A turn of the event loop, not a time. */
export const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 10; turn += 1) await new Promise((resolve) => setImmediate(resolve))
}

export class FakeClock implements Clock {
  readonly #timers = new Set<Timer>()
  readonly #works = new Set<Promise<unknown>>()
  #now = 0

  readonly now = (): number => this.#now

  readonly after = (millis: number, task: () => void): () => void => {
    if (millis <= gathering) {
      const next = setImmediate(task)
      return () => clearImmediate(next)
    }
    const timer = { at: this.#now + Math.max(millis, 0), task }
    this.#timers.add(timer)
    return () => void this.#timers.delete(timer)
  }

  get pending(): number {
    return this.#timers.size
  }

  /** Stands still while this work goes on, such as WebCrypto's, which takes as many turns as it likes. */
  during<A>(work: Promise<A>): Promise<A> {
    this.#works.add(work)
    return work.finally(() => this.#works.delete(work))
  }

  async #settle(): Promise<void> {
    await settle()
    while (this.#works.size > 0) {
      await Promise.allSettled(this.#works)
      await settle()
    }
  }

  async advance(millis: number): Promise<void> {
    const until = this.#now + millis
    await this.#settle()
    for (;;) {
      let due: Timer | undefined
      for (const timer of this.#timers) if (timer.at <= until && (due === undefined || timer.at < due.at)) due = timer
      if (due === undefined) break
      this.#timers.delete(due)
      this.#now = due.at
      due.task()
      await this.#settle()
    }
    this.#now = until
  }
}
