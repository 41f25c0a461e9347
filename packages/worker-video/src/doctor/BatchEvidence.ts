import { Context, type Effect } from "effect"
import type { Evidence } from "./Evidence.ts"
import type { ExpectedNames } from "./ExpectedNames.ts"

/**
 * Looks at Batch. Neither look fails: a call that was refused or had no answer is part of the evidence (`missing`), and what the
 * other calls said stays worth reading. Nothing that may be a secret is in it (`withoutSecrets`).
 */
export class BatchEvidence extends Context.Service<BatchEvidence, {
  /** Everything about one job, named by our job's id or by Batch's own, and what stands around it. */
  readonly ofJob: (job: string, names: ExpectedNames) => Effect.Effect<Evidence>
  /** The definition, the queue and its environments of these names. */
  readonly ofSetup: (names: ExpectedNames) => Effect.Effect<Evidence>
}>()("@lectern/worker-video/BatchEvidence") {}
