/**
 * One local file in, one directory of HLS out: `Encoder` with `Encoder.layerFfmpeg`. The rest is what its callers need
 * to handle its answers, and the ports behind it for tests and for other implementations.
 */
export * from "./Encoder.ts"
export * from "./EncodePlan.ts"
export * from "./EncodeResult.ts"
export * from "./EncoderUnavailable.ts"
export * from "./EncodeToken.ts"
export * from "./MediaInfo.ts"
export { defaultMediaLimits, type MediaLimits, MediaProbe } from "./MediaProbe.ts"
export * from "./MediaRejected.ts"
export { fileHeaders } from "./FileHeaders.ts"
export { type EncodeKey, keepNowhere, type PartKeeper } from "./PartKeeper.ts"
export { type PartState, soundPart } from "./EncodeGroups.ts"
export { type StepReport, unheard } from "./StepReport.ts"
export { keepInFolder, type PartFolder } from "./PartKeeperFolder.ts"
export * from "./TranscodeFailed.ts"
export * from "./Transcoder.ts"
