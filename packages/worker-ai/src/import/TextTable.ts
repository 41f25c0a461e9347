import type { XmlRange } from "./XmlRange.ts"

const chunkUnits = 256 * 1024
const chunkTexts = 64 * 1024

/** More would outlive two collections and make V8 double the space for new objects, which costs 30 MiB. */
const stringsKept = 4_096

/**
 * Texts by number, in two bytes a UTF-16 unit and four bytes a text: a workbook may share two million, which as strings
 * of their own would take four times the memory. The last text grows piece by piece until it is complete.
 */
export class TextTable {
  /** A text lies in one chunk: one that is longer than a chunk has a longer one to itself. */
  readonly #chunks: Array<Buffer> = []
  /** How many units of each chunk are used. */
  readonly #used: Array<number> = []
  /** Where each text begins, each chunk counted as `chunkUnits`; `chunkTexts` to a piece. */
  readonly #starts: Array<Uint32Array> = []
  #count = 0
  #units = 0
  /** The last chunk, and where in it the text that is not complete lies. */
  #chunk = new Uint16Array(0)
  #start = chunkUnits
  #end = chunkUnits
  /** Texts as strings, of those that came first: what a list repeats, such as schools and grades, is among them. */
  readonly #strings: Array<string | undefined> = []

  /** Texts that are complete. */
  get count(): number {
    return this.#count
  }

  /** UTF-16 units of all texts, that which is not complete included. */
  get units(): number {
    return this.#units + this.#end - this.#start
  }

  /** Adds valid UTF-8 to the text that is not complete. */
  append({ bytes, end, start }: XmlRange): void {
    this.#reserve(end - start)
    const chunk = this.#chunk
    let at = this.#end
    for (let index = start; index < end;) {
      const first = bytes[index++] ?? 0
      if (first < 0x80) {
        chunk[at++] = first
        continue
      }
      const second = (bytes[index++] ?? 0) & 0x3f
      if (first < 0xe0) {
        chunk[at++] = ((first & 0x1f) << 6) | second
        continue
      }
      const third = (bytes[index++] ?? 0) & 0x3f
      if (first < 0xf0) {
        chunk[at++] = ((first & 0x0f) << 12) | (second << 6) | third
        continue
      }
      const above = (((first & 0x07) << 18) | (second << 12) | (third << 6) | ((bytes[index++] ?? 0) & 0x3f)) - 0x10000
      chunk[at++] = 0xd800 | (above >> 10)
      chunk[at++] = 0xdc00 | (above & 0x3ff)
    }
    this.#end = at
  }

  /** Puts another in the place of the text that is not complete, which must not be longer. */
  change(to: (text: string) => string): void {
    const text = to(Buffer.from(this.#chunk.buffer).toString("utf16le", this.#start * 2, this.#end * 2))
    for (let index = 0; index < text.length; index++) this.#chunk[this.#start + index] = text.charCodeAt(index)
    this.#end = this.#start + text.length
  }

  complete(): void {
    this.#reserve(0)
    const last = this.#chunks.length - 1
    this.#addStart(last * chunkUnits + this.#start)
    this.#used[last] = this.#end
    this.#units += this.#end - this.#start
    this.#start = this.#end
  }

  /** The text of a number from 0; `undefined` beyond the last and for what is no such number. */
  get(index: number): string | undefined {
    if (index >= stringsKept) return this.#decoded(index)
    return this.#strings[index] ??= this.#decoded(index)
  }

  /**
   * Makes room for so many units behind the text that is not complete, which moves to a new chunk if need be: always if
   * it would begin beyond `chunkUnits`, where `#starts` cannot say so.
   */
  #reserve(units: number): void {
    if (this.#end + units <= this.#chunk.length && this.#start < chunkUnits) return
    const begun = this.#chunk.subarray(this.#start, this.#end)
    this.#chunk = new Uint16Array(Math.max(chunkUnits, 2 * (begun.length + units)))
    this.#chunk.set(begun)
    this.#chunks.push(Buffer.from(this.#chunk.buffer))
    this.#used.push(0)
    this.#start = 0
    this.#end = begun.length
  }

  #addStart(start: number): void {
    const within = this.#count % chunkTexts
    if (within === 0) this.#starts.push(new Uint32Array(chunkTexts))
    const starts = this.#starts.at(-1)
    if (starts !== undefined) starts[within] = start
    this.#count++
  }

  #startOf(index: number): number | undefined {
    return index < this.#count ? this.#starts[Math.floor(index / chunkTexts)]?.[index % chunkTexts] : undefined
  }

  #decoded(index: number): string | undefined {
    const start = this.#startOf(index)
    if (start === undefined) return undefined
    const chunk = Math.floor(start / chunkUnits)
    const next = this.#startOf(index + 1)
    const endsChunk = next === undefined || Math.floor(next / chunkUnits) !== chunk
    const end = endsChunk ? (this.#used[chunk] ?? 0) : next % chunkUnits
    return this.#chunks[chunk]?.toString("utf16le", (start % chunkUnits) * 2, end * 2)
  }
}
