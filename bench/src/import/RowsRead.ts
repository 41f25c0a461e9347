import { koreanRow } from "./koreanRows.ts"
import { type Reading, residentMib } from "./Reading.ts"

/**
 * The rows that a reader gives. Each text is taken, so that no reader can leave one undecoded; if they are held against
 * what was written, making that anew takes about as long as reading, so that such a reading's time is no reader's.
 */
export class RowsRead {
  readonly #columns: number
  readonly #held: boolean
  readonly #started = performance.now()
  #rows = 0
  #characters = 0
  #broken = 0

  constructor(options: { readonly columns: number; readonly held: boolean }) {
    this.#columns = options.columns
    this.#held = options.held
  }

  /** Takes a row by its number, 1-based, and its texts by their places, 0-based. */
  add(row: number, textAt: (index: number) => unknown): void {
    this.#rows++
    for (let index = 0; index < this.#columns; index++) {
      const text = textAt(index)
      if (typeof text === "string") this.#characters += text.length
    }
    if (this.#held) {
      this.#broken += koreanRow(row - 1, this.#columns).filter((text, index) => textAt(index) !== text).length
    }
  }

  /** Of the time since this was made, and of this process. */
  reading(): Reading {
    return {
      rows: this.#rows,
      characters: this.#characters,
      broken: this.#held ? this.#broken : null,
      seconds: (performance.now() - this.#started) / 1000,
      residentMib: residentMib()
    }
  }
}
