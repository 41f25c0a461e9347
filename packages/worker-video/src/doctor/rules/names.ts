import type { LintRule } from "./LintRule.ts"

/** What is there in place of the wanted name; files that hold none of its kind say nothing about it. */
const absent = (present: ReadonlyArray<string | null | undefined>, wanted: string, whole: boolean): string | null =>
  present.includes(wanted) || (present.length === 0 && !whole) ? null : present.map((name) => name ?? "?").join(", ") || "none"

/** One letter of difference between code and deployment, and nothing ever runs (INCIDENTS.md, 32). */
export const nameRules: ReadonlyArray<LintRule> = [
  {
    id: "name-of-queue",
    why: "The code submits to one queue by name",
    fix: "Deploy the queue under the code's name or set VIDEO_BATCH_JOB_QUEUE",
    check: ({ jobQueues, whole }, { jobQueue }) => {
      const found = absent(jobQueues.map(({ jobQueueName }) => jobQueueName), jobQueue, whole)
      return found === null ? [] : [{ where: "job queues", found: `${found} where the code submits to ${jobQueue}` }]
    }
  },
  {
    id: "name-of-definition",
    why: "The code submits with one definition by name",
    fix: "Deploy the definition under the code's name or set VIDEO_BATCH_JOB_DEFINITION",
    check: ({ jobDefinitions, whole }, { jobDefinition }) => {
      const found = absent(jobDefinitions.map(({ jobDefinitionName }) => jobDefinitionName), jobDefinition, whole)
      return found === null ? [] : [{ where: "job definitions", found: `${found} where the code submits with ${jobDefinition}` }]
    }
  },
  {
    id: "name-of-environment",
    why: "Infrastructure and documents know one environment by name",
    fix: "Deploy the environment under its name",
    check: ({ computeEnvironments, whole }, { computeEnvironment }) => {
      const found = absent(computeEnvironments.map(({ computeEnvironmentName }) => computeEnvironmentName), computeEnvironment, whole)
      return found === null ? [] : [{ where: "compute environments", found: `${found} where ${computeEnvironment} is expected` }]
    }
  },
  {
    id: "name-of-log-group",
    why: "Doctor, alarms and documents look into one log group",
    fix: "Set awslogs-group to that name",
    check: ({ jobDefinitions }, { jobDefinition, logGroup }) =>
      jobDefinitions.flatMap(({ containerProperties, jobDefinitionName }) => {
        const found = containerProperties?.logConfiguration?.options?.["awslogs-group"]
        return jobDefinitionName !== jobDefinition || found == null || found === logGroup
          ? []
          : [{ where: `job definition ${jobDefinitionName ?? "?"}, awslogs-group`, found: `${found} where ${logGroup} is expected` }]
      })
  },
  {
    id: "log-group-exists",
    why: "A container whose log group is missing never starts, and the execution role cannot create it",
    fix: "Create the log group before the definition",
    check: ({ jobDefinitions, logGroups }) =>
      logGroups === null ? [] : jobDefinitions.flatMap(({ containerProperties, jobDefinitionName }) => {
        const wanted = containerProperties?.logConfiguration?.options?.["awslogs-group"]
        return wanted == null || logGroups.some(({ name }) => name === wanted)
          ? []
          : [{ where: `job definition ${jobDefinitionName ?? "?"}, awslogs-group`, found: `${wanted} is not there` }]
      })
  },
  {
    id: "log-retention",
    why: "A log group without retention keeps, and bills, everything for ever",
    fix: "Set a retention",
    check: ({ logGroups }, { logGroup }) =>
      (logGroups ?? []).filter(({ name, retentionInDays }) => name === logGroup && retentionInDays === null)
        .map(({ name }) => ({ where: `log group ${name}`, found: "kept for ever" }))
  }
]
