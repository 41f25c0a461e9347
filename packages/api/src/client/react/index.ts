/** The client as a React hook. */
export { type ProgressState, useProgress } from "./useProgress.ts"
