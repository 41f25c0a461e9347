/**
 * For implementations of `JobStore` only; `npm run boundaries` holds everybody else off.
 *
 * A store calls `commit` after, and only after, its transaction has committed.
 */
export { mint as commit } from "./internal/Committed.ts"
