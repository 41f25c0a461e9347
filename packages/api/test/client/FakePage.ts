import type { PageVisibility } from "../../src/client/index.ts"

/** A page that a test hides and shows. */
export class FakePage implements PageVisibility {
  readonly #listeners = new Set<() => void>()
  #hidden = false

  readonly isHidden = (): boolean => this.#hidden

  readonly onChange = (listener: () => void): () => void => {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  set hidden(hidden: boolean) {
    this.#hidden = hidden
    for (const listener of Array.from(this.#listeners)) listener()
  }

  get listeners(): number {
    return this.#listeners.size
  }
}
