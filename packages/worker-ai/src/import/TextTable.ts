const chunkBytes = 4 * 1024 * 1024

/** Some megabytes of strings at most. */
const stringsKept = 32_768

/**
 * Texts by number, in two bytes a character and four bytes a text: a workbook may share two million, which as strings of
 * their own would take four times the memory. A text has at most 2 Mi UTF-16 units.
 */
export class TextTable {
  readonly #chunks: Array<Buffer> = []
  /** How many bytes of each chunk are used: a text lies in one. */
  readonly #used: Array<number> = []
  /** Where each text begins, counted over all chunks. */
  #starts = new Uint32Array(1_024)
  #count = 0
  /** Texts as strings, of those that came first: what a list repeats, such as schools and grades, is among them. */
  readonly #strings: Array<string | undefined> = []

  get count(): number {
    return this.#count
  }

  add(text: string): void {
    const bytes = text.length * 2
    const used = this.#used.at(-1)
    if (used === undefined || used + bytes > chunkBytes) {
      this.#chunks.push(Buffer.allocUnsafeSlow(chunkBytes))
      this.#used.push(0)
    }
    const from = this.#used.at(-1) ?? 0
    if (this.#count === this.#starts.length) this.#starts = grown(this.#starts)
    const last = this.#chunks.length - 1
    this.#chunks[last]?.write(text, from, "utf16le")
    this.#used[last] = from + bytes
    this.#starts[this.#count] = last * chunkBytes + from
    this.#count++
  }

  /** The text of a number from 0; `undefined` beyond the last and for what is no such number. */
  get(index: number): string | undefined {
    if (index >= stringsKept) return this.#decoded(index)
    return this.#strings[index] ??= this.#decoded(index)
  }

  #decoded(index: number): string | undefined {
    const start = this.#starts[index]
    if (index >= this.#count || start === undefined) return undefined
    const chunk = Math.floor(start / chunkBytes)
    const next = index + 1 < this.#count ? this.#starts[index + 1] : undefined
    const endsChunk = next === undefined || Math.floor(next / chunkBytes) !== chunk
    const end = endsChunk ? this.#used[chunk] : next % chunkBytes
    return this.#chunks[chunk]?.toString("utf16le", start % chunkBytes, end)
  }
}

const grown = (numbers: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> => {
  const twice = new Uint32Array(numbers.length * 2)
  twice.set(numbers)
  return twice
}
