import type { LogSink } from "@lectern/observability"
import { Effect } from "effect"
import { type BoardTarget, makeProgressBoard, type ProgressBoard } from "./ProgressBoard.ts"

const target: BoardTarget = {
  interactive: process.stderr.isTTY === true && process.env["TERM"] !== "dumb",
  // A terminal that does not know its width says 0.
  columns: () => process.stderr.columns || 80,
  write: (text) => {
    process.stderr.write(text)
  }
}

/** The board that is on the screen. There is one screen. */
let shown: ProgressBoard | null = null

/** Standard error for log lines: they scroll by above the bars and do not tear them. */
export const logSink: LogSink = {
  isTTY: process.stderr.isTTY === true,
  write: (text) => shown === null ? target.write(text) : shown.above(text)
}

/** A board on standard error, so that standard output stays for results; the cursor is hidden while it is up. */
export const withBoard = <A, E, R>(use: (board: ProgressBoard) => Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.acquireUseRelease(
    Effect.sync(() => {
      if (target.interactive) target.write("\u001b[?25l")
      shown = makeProgressBoard(target)
      return shown
    }),
    use,
    (board) =>
      Effect.sync(() => {
        board.finish()
        shown = null
        if (target.interactive) target.write("\u001b[?25h")
      })
  )
