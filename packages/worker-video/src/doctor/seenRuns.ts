import { containerVariables } from "@lectern/adapters/batch"
import { JobId, runOfHolder, type RunSighting, TenantId } from "@lectern/domain"
import { Option, Schema } from "effect"
import type { Evidence, Job } from "./Evidence.ts"

const asTenant = Schema.decodeUnknownOption(Schema.NumberFromString.pipe(Schema.decodeTo(TenantId)))
const asJob = Schema.decodeUnknownOption(JobId)

const variableOf = (job: Job, name: string): string | null | undefined =>
  job.container?.environment?.find((variable) => variable.name === name)?.value

const sighting = (job: Job): ReadonlyArray<RunSighting> => {
  const jobId = asJob(variableOf(job, containerVariables.jobId))
  const tenantId = asTenant(variableOf(job, containerVariables.tenantId))
  return job.jobId == null || Option.isNone(jobId) || Option.isNone(tenantId) ? [] : [{
    tenantId: tenantId.value,
    jobId: jobId.value,
    runId: runOfHolder(job.jobId),
    words: {
      status: job.status ?? "",
      statusReason: job.statusReason ?? null,
      containerReason: job.container?.reason ?? null,
      exitCode: job.container?.exitCode ?? null,
      logStream: job.container?.logStreamName ?? null
    }
  }]
}

/** The runs of ours in a look at Batch, for the history of what it said. */
export const seenRuns = (evidence: Evidence): ReadonlyArray<RunSighting> =>
  (evidence.describeJobs?.jobs ?? []).flatMap(sighting)
