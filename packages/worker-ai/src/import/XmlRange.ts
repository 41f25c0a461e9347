/**
 * A range of a part's bytes, in UTF-8. Whoever gives one moves it on afterwards: what it holds is to be taken at once.
 * Reading bytes where they lie is what makes a workbook of two million cells quick: no string is made of its markup.
 */
export class XmlRange {
  bytes: Buffer = Buffer.alloc(0)
  start = 0
  end = 0

  /** Puts the range elsewhere. */
  move(bytes: Buffer, start: number, end: number): void {
    this.bytes = bytes
    this.start = start
    this.end = end
  }

  /** Whether it holds just this text, which is ASCII. */
  is(text: string): boolean {
    return this.end - this.start === text.length && this.endsWith(text)
  }

  /** Whether it ends with this text, which is ASCII. */
  endsWith(text: string): boolean {
    const from = this.end - text.length
    if (from < this.start) return false
    for (let index = 0; index < text.length; index++) {
      if (this.bytes[from + index] !== text.charCodeAt(index)) return false
    }
    return true
  }

  /** The number that 1 to 15 digits and nothing else spell, so that it is exact; -1 for all else. */
  wholeNumber(): number {
    const { bytes, end, start } = this
    if (start === end || end - start > 15) return -1
    let number = 0
    for (let index = start; index < end; index++) {
      const digit = (bytes[index] ?? 0) - 48
      if (digit < 0 || digit > 9) return -1
      number = number * 10 + digit
    }
    return number
  }

  /** What `Number` says of its text. */
  toNumber(): number {
    const whole = this.wholeNumber()
    return whole < 0 ? Number(this.toString()) : whole
  }

  toString(): string {
    return this.bytes.toString("utf8", this.start, this.end)
  }
}
