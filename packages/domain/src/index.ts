/** The model, the ports and the policies of Lectern. Depends on `effect` alone and runs in a browser. */
export { abortAbandonedUploads } from "./abandonedUploads.ts"
export {
  bestEffort,
  defaultMirrorBudget,
  type MirrorOutcome,
  mirrorPublished,
  mirrorSkipped,
  type SkipReason
} from "./bestEffort.ts"
export { causesOf } from "./causesOf.ts"
export * from "./EncodeArray.ts"
export { EncodeMisses, type MissedRun, type Misses } from "./EncodeMisses.ts"
export * from "./EncodeLeftovers.ts"
export * from "./EncodeParts.ts"
export * from "./EncodeRuntime.ts"
export { EpochMillis } from "./Epoch.ts"
export { fileFault } from "./fileFault.ts"
export type { Committed } from "./internal/Committed.ts"
export { holdLease, longestDeafnessMillis } from "./holdLease.ts"
export * from "./Job.ts"
export * from "./JobDispatcher.ts"
export { JobKind, type QueuedKind } from "./JobKind.ts"
export * from "./JobQueue.ts"
export * from "./JobRecorder.ts"
export * from "./JobStore.ts"
export * from "./LedgerMessage.ts"
export { maskedAddress, messageAddress } from "./MessageAddress.ts"
export * from "./MessageComposition.ts"
export * from "./MessageLedger.ts"
export { channelOf, type MessageChannel, MessageMode } from "./MessageMode.ts"
export { estimatedWon, type MessagePrices, parseMessagePrices } from "./MessagePrices.ts"
export * from "./MessageProvider.ts"
export * from "./MessageQuota.ts"
export * from "./MessageText.ts"
export * from "./MirrorEntry.ts"
export * from "./MirrorKeys.ts"
export * from "./MultipartUploads.ts"
export * from "./NewIds.ts"
export * from "./ObjectKeys.ts"
export * from "./ObjectStore.ts"
export { PlaybackUrls } from "./PlaybackUrls.ts"
export * from "./ProgressMirror.ts"
export * from "./ProgressReader.ts"
export { isReadinessJob, readinessJobId } from "./ReadinessProbe.ts"
export { receiptEntries } from "./receiptEntries.ts"
export { RuleCheck } from "./RuleCheck.ts"
export * from "./SeoulTime.ts"
export { ReadingId } from "./ReadingId.ts"
export * from "./Step.ts"
export { recordEnd } from "./recordEnd.ts"
export * from "./Student.ts"
export * from "./RunHistory.ts"
export * from "./StudentContacts.ts"
export * from "./Submission.ts"
export * from "./Sweeper.ts"
export * from "./Tenant.ts"
export { Tier } from "./Tier.ts"
export * as VideoPolicy from "./Video.ts"
export {
  EncodeOutput,
  type NewVideo,
  Video,
  VideoConflict,
  VideoStatus
} from "./Video.ts"
export * from "./VideoDeletion.ts"
export { VideoId } from "./VideoId.ts"
