/** The doctor of AWS Batch: what is the matter with a job, and what is wrong with a setup before it is deployed. */
export { BatchEvidence } from "./BatchEvidence.ts"
export * as BatchEvidenceAws from "./BatchEvidenceAws.ts"
export { diagnose } from "./diagnose.ts"
export {
  type Diagnosis,
  diagnosisJson,
  type EvidenceLine,
  exitCodeOf,
  maxSentenceLength,
  reportOf,
  sentenceOf
} from "./Diagnosis.ts"
export { ExitCode, retriedByBatch } from "../ExitCode.ts"
export { decodeBundle, encodeBundle, Evidence, isEmpty, withoutSecrets } from "./Evidence.ts"
export { type ExpectedNames, expectedNames } from "./ExpectedNames.ts"
export { type Finding, type LintRule, lintRules, lintSetup } from "./lintSetup.ts"
export { seenRuns } from "./seenRuns.ts"
export { decodeSetup, isEmptySetup, type Setup, setupOf } from "./Setup.ts"
export type { RetryHelp, Symptom, Verdict } from "./Symptom.ts"
export { symptoms, symptomSections } from "./symptoms/index.ts"
export { symptomTable } from "./symptomTable.ts"
export type { Language, Wording } from "./Wording.ts"
