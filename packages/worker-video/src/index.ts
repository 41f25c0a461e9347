/** The Batch container's program: one encode per run. The encoder alone is behind `./encoder`. */
export { type EncodeRunOptions, runEncode } from "./EncodeRun.ts"
export { ExitCode, retriedByBatch } from "./ExitCode.ts"
