/** In-memory layers: the embedded default's mirror, and what unit tests build on. They pass the suites of the real ones. */
export * as EncodePartsMemory from "./EncodePartsMemory.ts"
export * as JobStoreMemory from "./JobStoreMemory.ts"
export * as MessageLedgerMemory from "./MessageLedgerMemory.ts"
export * as ProgressMirrorMemory from "./ProgressMirrorMemory.ts"
export { MirrorMemory } from "./ProgressMirrorMemory.ts"
export * as RunHistoryMemory from "./RunHistoryMemory.ts"
export * as StudentContactsMemory from "./StudentContactsMemory.ts"
export * as StudentStoreMemory from "./StudentStoreMemory.ts"
