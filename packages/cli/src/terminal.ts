import { Effect } from "effect"
import { type BoardTarget, makeProgressBoard, type ProgressBoard } from "./ProgressBoard.ts"

const target: BoardTarget = {
  interactive: process.stderr.isTTY === true && process.env["TERM"] !== "dumb",
  columns: () => process.stderr.columns ?? 80,
  write: (text) => {
    process.stderr.write(text)
  }
}

/** A board on standard error, so that standard output stays for results; the cursor is hidden while it is up. */
export const withBoard = <A, E, R>(use: (board: ProgressBoard) => Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.acquireUseRelease(
    Effect.sync(() => {
      if (target.interactive) target.write("\u001b[?25l")
      return makeProgressBoard(target)
    }),
    use,
    (board) =>
      Effect.sync(() => {
        board.finish()
        if (target.interactive) target.write("\u001b[?25h")
      })
  )
