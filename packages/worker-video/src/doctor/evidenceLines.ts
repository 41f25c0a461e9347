import { childStatesText } from "./arrayChildren.ts"
import type { EvidenceLine } from "./Diagnosis.ts"
import type { Evidence } from "./Evidence.ts"
import type { Facts } from "./Facts.ts"
import { clip, oneLine } from "./Wording.ts"

type Value = string | number | boolean | null | undefined

/** A log line may be of any length. */
const maxValueLength = 500

const instant = (millis: number | null | undefined): string | null => {
  if (millis == null) return null
  const date = new Date(millis)
  return Number.isNaN(date.getTime()) ? String(millis) : date.toISOString()
}

const joined = (values: ReadonlyArray<string> | null | undefined): string | null =>
  values == null ? null : values.length === 0 ? "(none)" : values.join(", ")

/** What the diagnosis rests on, field by field under AWS's own names; what is not known is left out. */
export const evidenceLines = (evidence: Evidence, facts: Facts): ReadonlyArray<EvidenceLine> => {
  const { attempt, job, queue } = facts
  const container = job?.container
  const lines: ReadonlyArray<readonly [string, Value]> = [
    ["job.jobId", job?.jobId],
    ["job.jobName", job?.jobName],
    ["job.status", job?.status],
    ["job.statusReason", job?.statusReason],
    ["array.statusSummary", facts.children === null ? null : childStatesText(facts.children)],
    ["job.createdAt", instant(job?.createdAt)],
    ["job.startedAt", instant(job?.startedAt)],
    ["job.stoppedAt", instant(job?.stoppedAt)],
    ["job.isCancelled", job?.isCancelled],
    ["job.isTerminated", job?.isTerminated],
    ["job.jobQueue", job?.jobQueue],
    ["job.jobDefinition", job?.jobDefinition],
    ["job.timeout", job?.timeout?.attemptDurationSeconds],
    ["job.retryStrategy.attempts", job?.retryStrategy?.attempts],
    ["job.dependsOn", joined(job?.dependsOn?.flatMap(({ jobId }) => jobId == null ? [] : [jobId]))],
    ["container.image", container?.image],
    ["container.command", joined(container?.command)],
    ["container.environment", joined(container?.environment?.flatMap(({ name }) => name == null ? [] : [name]))],
    ["container.vcpus", facts.vcpus],
    ["container.memory", facts.memory],
    ["container.jobRoleArn", container?.jobRoleArn],
    ["container.executionRoleArn", container?.executionRoleArn],
    ["container.exitCode", facts.exitCode],
    ["container.reason", container?.reason],
    ["container.logStreamName", container?.logStreamName ?? attempt?.container?.logStreamName],
    ["container.taskArn", container?.taskArn ?? attempt?.container?.taskArn],
    ["container.architecture", container?.runtimePlatform?.cpuArchitecture],
    ...(job?.attempts ?? []).flatMap((it, index): ReadonlyArray<readonly [string, Value]> => [
      [`attempts[${index}].statusReason`, it.statusReason],
      [`attempts[${index}].container.exitCode`, it.container?.exitCode],
      [`attempts[${index}].container.reason`, it.container?.reason],
      [`attempts[${index}].stoppedAt`, instant(it.stoppedAt)]
    ]),
    ["queue.jobQueueName", queue?.jobQueueName],
    ["queue.state", queue?.state],
    ["queue.status", queue?.status],
    ["queue.statusReason", queue?.statusReason],
    ["queue.position", facts.position],
    ...(queue?.jobStateTimeLimitActions ?? []).map((action): readonly [string, Value] => [
      "queue.jobStateTimeLimitAction",
      `${action.action ?? "?"} after ${action.maxTimeSeconds ?? "?"} s: ${action.reason ?? "?"}`
    ]),
    ...facts.environments.flatMap((environment, index): ReadonlyArray<readonly [string, Value]> => {
      const at = `environments[${index}]`
      const resources = environment.computeResources
      return [
        [`${at}.computeEnvironmentName`, environment.computeEnvironmentName],
        [`${at}.state`, environment.state],
        [`${at}.status`, environment.status],
        [`${at}.statusReason`, environment.statusReason],
        [`${at}.serviceRole`, environment.serviceRole],
        [`${at}.type`, resources?.type],
        [`${at}.allocationStrategy`, resources?.allocationStrategy],
        [`${at}.minvCpus`, resources?.minvCpus],
        [`${at}.desiredvCpus`, resources?.desiredvCpus],
        [`${at}.maxvCpus`, resources?.maxvCpus],
        [`${at}.instanceTypes`, joined(resources?.instanceTypes)],
        [`${at}.subnets`, joined(resources?.subnets)],
        [`${at}.instanceRole`, resources?.instanceRole],
        [`${at}.spotIamFleetRole`, resources?.spotIamFleetRole],
        [`${at}.imageId`, resources?.imageId],
        [`${at}.launchTemplate`, resources?.launchTemplate?.launchTemplateName ?? resources?.launchTemplate?.launchTemplateId]
      ]
    }),
    ...(evidence.describeTasks?.tasks ?? []).flatMap((task): ReadonlyArray<readonly [string, Value]> => [
      ["task.lastStatus", task.lastStatus],
      ["task.stopCode", task.stopCode],
      ["task.stoppedReason", task.stoppedReason],
      ...(task.containers ?? []).map(({ reason }): readonly [string, Value] => ["task.container.reason", reason])
    ]),
    ["cluster.registeredContainerInstancesCount", facts.registeredInstances],
    ...facts.texts.scalingActivity.map((text): readonly [string, Value] => ["scalingActivity.failed", text]),
    ...facts.missing.map((answer): readonly [string, Value] => [
      `no answer: ${answer.call}`,
      `${answer.kind}, ${answer.fault}: ${answer.message}`
    ]),
    ...(evidence.history ?? []).map((seen): readonly [string, Value] => [
      `history ${instant(seen.firstSeenAt) ?? "?"}`,
      [seen.status, seen.exitCode == null ? null : `exit ${seen.exitCode}`, seen.statusReason, seen.containerReason]
        .filter((text) => text != null && text !== "").join("; ")
    ]),
    ...(evidence.logTail ?? []).slice(-10).map((text): readonly [string, Value] => ["log", text]),
    ["collectedAt", instant(evidence.collectedAt)],
    ["collectedWith", evidence.collectedWith]
  ]
  return lines.flatMap(([field, value]) =>
    value == null || value === "" ? [] : [{ field, value: clip(oneLine(String(value)), maxValueLength) }]
  )
}
