/**
 * Progress bars on a terminal, one line each, redrawn in place; elsewhere a line whenever a bar has moved visibly.
 */

/** What a bar shows. `percent` 0..100, or `null` when the progress is not known. */
export interface BarState {
  readonly percent: number | null
  readonly note: string
  readonly end: "running" | "good" | "bad"
}

export interface ProgressBoard {
  readonly update: (label: string, state: BarState) => void
  /** Writes whole lines where they do not tear the bars. */
  readonly above: (text: string) => void
  /** Leaves the bars as they stand and gives the cursor back. */
  readonly finish: () => void
}

export interface BoardTarget {
  readonly interactive: boolean
  readonly columns: () => number
  readonly write: (text: string) => void
}

/** Characters that would move a cursor, or turn a line round, in a name that somebody else has chosen. */
export const printable = (text: string): string =>
  text.normalize("NFC").replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, " ")

const zeroWidth = /^[\p{Mn}\p{Me}\p{Cf}]$/u

/** Columns of a terminal that a text takes; Hangul and the other wide forms take two (Unicode UAX #11, W and F). */
export const displayWidth = (text: string): number => {
  let width = 0
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0
    const wide = (code >= 0x1100 && code <= 0x115f) || (code >= 0x2e80 && code <= 0xa4cf) ||
      (code >= 0xac00 && code <= 0xd7a3) || (code >= 0xf900 && code <= 0xfaff) || (code >= 0xff00 && code <= 0xff60) ||
      (code >= 0x1f300 && code <= 0x1faff) || (code >= 0x20000 && code <= 0x3fffd)
    width += wide ? 2 : zeroWidth.test(character) ? 0 : 1
  }
  return width
}

export const pad = (text: string, width: number): string => text + " ".repeat(Math.max(0, width - displayWidth(text)))

const widestBar = 28
const narrowestBar = 4
/** A note that is cut shorter than this says nothing: a narrow terminal has a shorter bar instead. */
const noteWidth = 24

const clip = (text: string, width: number): string => {
  let out = ""
  let used = 0
  for (const character of text) {
    const next = displayWidth(character)
    if (used + next > width) break
    out += character
    used += next
  }
  return out
}

/** One line of at most `columns` columns. */
export const renderBar = (label: string, labelWidth: number, state: BarState, columns: number): string => {
  // The mark, the percent and the spaces between take ten columns.
  const barWidth = Math.min(widestBar, Math.max(narrowestBar, columns - labelWidth - noteWidth - 10))
  const filled = state.percent === null ? 0 : Math.round(state.percent / 100 * barWidth)
  const bar = state.percent === null ? "·".repeat(barWidth) : "█".repeat(filled) + "░".repeat(barWidth - filled)
  const percent = state.percent === null ? "  ?%" : `${String(state.percent).padStart(3)}%`
  const mark = state.end === "good" ? "✓" : state.end === "bad" ? "✗" : " "
  return clip(`${mark} ${pad(label, labelWidth)} ${bar} ${percent}  ${state.note}`, columns)
}

export const makeProgressBoard = (target: BoardTarget): ProgressBoard => {
  const bars = new Map<string, BarState>()
  const shown = new Map<string, string>()
  let drawn = 0

  const labelWidth = (): number => Math.max(0, ...[...bars.keys()].map(displayWidth))

  const redraw = (): void => {
    const width = labelWidth()
    const columns = Math.max(1, target.columns() - 1)
    const lines = [...bars].map(([label, state]) => `\r\u001b[2K${renderBar(label, width, state, columns)}\n`)
    target.write((drawn > 0 ? `\u001b[${drawn}A` : "") + lines.join(""))
    drawn = bars.size
  }

  const announce = (label: string, state: BarState): void => {
    // Where lines cannot be redrawn a new one stands for something that a reader of the log would want to know.
    const step = state.percent === null ? "?" : String(Math.floor(state.percent / 10))
    const key = `${step} ${state.note.replace(/\d+/g, "")} ${state.end}`
    if (shown.get(label) === key) return
    shown.set(label, key)
    target.write(`${renderBar(label, labelWidth(), state, 160)}\n`)
  }

  return {
    update: (name, state) => {
      const label = printable(name)
      bars.set(label, state)
      if (target.interactive) redraw()
      else announce(label, state)
    },
    above: (text) => {
      if (drawn === 0) return target.write(text)
      target.write(`\u001b[${drawn}A\r\u001b[J${text}`)
      drawn = 0
      redraw()
    },
    finish: () => {
      bars.clear()
      drawn = 0
    }
  }
}
