/** The progress endpoints. Neutral to the runtime: no module of Node, no Effect, and nothing that could reach a database. */
export { type AccessLog, type AccessLogOptions, type Answered, makeAccessLog, noAccessLog } from "./AccessLog.ts"
export type { AllowedOrigins } from "./crossOrigin.ts"
export type { EdgeAnswer, EdgeQuestion } from "./EdgeAnswer.ts"
export { type EdgeLogFields, edgeLogLine, type EdgeLogLevel } from "./edgeLogLine.ts"
export { type Edge, type EdgeCounts, type EdgeHandlerOptions, makeEdge, makeEdgeHandler } from "./EdgeHandler.ts"
export type { EventSink, OpenEvents } from "./EventSink.ts"
export type { ChangeListener, ProgressChanges } from "./ProgressHub.ts"
export type { ReadProgress } from "./SharedReader.ts"
