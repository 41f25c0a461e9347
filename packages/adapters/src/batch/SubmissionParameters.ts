import { type EncodeSubmission, JobId, TenantId } from "@lectern/domain"
import { Option, Schema } from "effect"
import { submissionParameters } from "./BatchNames.ts"

/** What a job of Batch says of the submission that it came of. */
const SubmissionParameters = Schema.Struct({
  [submissionParameters.jobId]: JobId,
  [submissionParameters.tenantId]: Schema.NumberFromString.pipe(Schema.decodeTo(TenantId)),
  [submissionParameters.submission]: Schema.NumberFromString.check(Schema.isInt(), Schema.isGreaterThan(0))
})

const decode = Schema.decodeUnknownOption(SubmissionParameters)

export const submissionParametersOf = (
  { jobId, submission, tenantId }: EncodeSubmission
): Readonly<Record<string, string>> => ({
  [submissionParameters.jobId]: jobId,
  [submissionParameters.tenantId]: String(tenantId),
  [submissionParameters.submission]: String(submission)
})

/** The submission that a job came of, by its parameters; none for a job that is not ours. */
export const submissionOf = (parameters: unknown): Option.Option<EncodeSubmission> =>
  Option.map(decode(parameters), (said) => ({
    jobId: said[submissionParameters.jobId],
    tenantId: said[submissionParameters.tenantId],
    submission: said[submissionParameters.submission]
  }))
