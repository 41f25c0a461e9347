import { retriedByBatch } from "@lectern/worker-video/doctor"

interface RetryRule {
  readonly action: "RETRY" | "EXIT"
  readonly onStatusReason?: string
  readonly onExitCode?: string
  readonly onReason?: string
}

/**
 * After which ends Batch tries again by itself. The first rule that matches wins; where none does Batch retries, so that the last
 * one has to catch all. Batch takes five. Everything else is the sweep's to decide, by the row.
 */
export const retryRules: ReadonlyArray<RetryRule> = [
  { onStatusReason: "Host EC2*", action: "RETRY" },
  { onStatusReason: "Task failed to start*", action: "RETRY" },
  ...retriedByBatch.map((code): RetryRule => ({ onExitCode: String(code), action: "RETRY" })),
  { onReason: "*", action: "EXIT" }
]
