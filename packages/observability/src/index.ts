/** Logs, traces and metrics of every program. Start at `Observability.layer`. */
export { LogLevelName, LogLine, LogLineJson } from "./LogSchema.ts"
export { metricsSnapshot, type MetricValue } from "./metricsSnapshot.ts"
export { Observability, type ObservabilityOptions } from "./Observability.ts"
export { makeProgram, type Program, programExits, type ProgramOptions } from "./Program.ts"
export { isConfidentialName, redact, redacted, redactText } from "./redact.ts"
export type { LogSink } from "./stderrLogger.ts"
