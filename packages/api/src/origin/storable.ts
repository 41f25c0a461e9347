import { Schema } from "effect"

/**
 * Refuses what no database, JSON or XML keeps: NUL, and halves of surrogate pairs. PostgreSQL would refuse the whole
 * record for one of them.
 */
export const storable = Schema.makeFilter((text: string) =>
  text.isWellFormed() && !text.includes("\0") ? undefined : "a text without NUL and without half of a character"
)
