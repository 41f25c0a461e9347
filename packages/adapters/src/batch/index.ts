/** Encodes as jobs of AWS Batch. */
export * from "./BatchNames.ts"
export { firstChild } from "./firstChild.ts"
export * as EncodeRuntimeBatch from "./EncodeRuntimeBatch.ts"
export type { EncodeRuntimeBatchOptions } from "./EncodeRuntimeBatch.ts"
