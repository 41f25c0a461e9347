import type { JobDefinition } from "../Evidence.ts"
import { imageArchitectureOf, requestedMemory, requestedVcpus } from "../Facts.ts"
import { instanceType, surelyAvailableMemory } from "../InstanceType.ts"
import { architecturesOf } from "../Facts.ts"
import type { Setup } from "../Setup.ts"
import type { Fault, LintRule } from "./LintRule.ts"

const nameOfDefinition = (definition: JobDefinition): string => `job definition ${definition.jobDefinitionName ?? "?"}`

/** Runs a check over each definition; what it returns are the faults found, each after the definition's name. */
const each = (check: (definition: JobDefinition, setup: Setup) => ReadonlyArray<Fault>) =>
(setup: Setup): ReadonlyArray<Fault> =>
  setup.jobDefinitions.flatMap((definition) =>
    check(definition, setup).map(({ found, where }) => ({ where: `${nameOfDefinition(definition)}, ${where}`, found }))
  )

const fault = (where: string, found: unknown): ReadonlyArray<Fault> => [{ where, found: String(found) }]

/** Shells that stay PID 1 and keep SIGTERM to themselves unless they `exec`. */
const isShell = (word: string | undefined): boolean => /(^|\/)(sh|bash|dash|ash)$/.test(word ?? "")

const forwardsSignals = (command: ReadonlyArray<string>): boolean => {
  if (!isShell(command[0])) return true
  const script = command[command.indexOf("-c") + 1]
  return command.includes("-c") && script !== undefined && /(^|[;&\n]\s*)exec\s/.test(script)
}

/** What a job definition must be by itself and on the instances that are to run it. */
export const definitionRules: ReadonlyArray<LintRule> = [
  {
    id: "memory-fits",
    why: "ECS keeps a part of an instance's memory: a job that asks for all of it stays RUNNABLE for ever",
    fix: "Ask for less memory than the largest instance type leaves to containers, or add a larger type",
    check: each((definition, { computeEnvironments }) => {
      const memory = definition.containerProperties == null ? null : requestedMemory(definition.containerProperties)
      if (memory === null) return []
      return computeEnvironments.flatMap((environment) => {
        const types = (environment.computeResources?.instanceTypes ?? []).map(instanceType)
        if (types.length === 0 || types.includes(null)) return []
        const limit = Math.max(...types.flatMap((type) => type === null ? [] : [surelyAvailableMemory(type)]))
        return memory > limit
          ? fault("MEMORY", `${memory} MiB where ${environment.computeEnvironmentName ?? "?"} leaves ${limit} MiB for certain`)
          : []
      })
    })
  },
  {
    id: "memory-and-vcpus-given",
    why: "Without both, Batch refuses the definition or the job",
    fix: "Give resourceRequirements VCPU and MEMORY as positive numbers",
    check: each(({ containerProperties }) => {
      if (containerProperties == null) return []
      return [
        ...((requestedMemory(containerProperties) ?? 0) > 0 ? [] : fault("MEMORY", "none")),
        ...((requestedVcpus(containerProperties) ?? 0) > 0 ? [] : fault("VCPU", "none"))
      ]
    })
  },
  {
    id: "vcpus-fit",
    why: "A job that asks for more vCPUs than maxvCpus of every environment never starts",
    fix: "Raise maxvCpus or ask for fewer vCPUs",
    check: each((definition, { computeEnvironments }) => {
      const vcpus = definition.containerProperties == null ? null : requestedVcpus(definition.containerProperties)
      const limits = computeEnvironments.map(({ computeResources }) => computeResources?.maxvCpus ?? null)
      return vcpus !== null && limits.length > 0 && limits.every((max) => max !== null && max > 0 && max < vcpus)
        ? fault("VCPU", `${vcpus} where maxvCpus is ${limits.join(" and ")}`)
        : []
    })
  },
  {
    id: "image-architecture",
    why: "An image of another architecture than its instances dies at start with an exec format error",
    fix: "Build the image for the instances' architecture, or choose other instance types",
    check: each((definition, { computeEnvironments, evidence }) => {
      const image = definition.containerProperties == null ? null : imageArchitectureOf(definition.containerProperties, evidence)
      if (image === null) return []
      return computeEnvironments.flatMap((environment) => {
        const found = architecturesOf(environment)
        return found.size > 0 && !found.has(image)
          ? fault("image", `${image} where ${environment.computeEnvironmentName ?? "?"} has ${[...found].join(" and ")}`)
          : []
      })
    })
  },
  {
    id: "timeout-missing",
    why: "There is no default timeout: a hanging encode occupies its instance for ever",
    fix: "Set timeout.attemptDurationSeconds",
    check: each(({ timeout }) => timeout?.attemptDurationSeconds == null ? fault("timeout", "none") : [])
  },
  {
    id: "timeout-too-short",
    why: "Batch takes no timeout below 60 seconds",
    fix: "Set timeout.attemptDurationSeconds to 60 or more",
    check: each(({ timeout }) =>
      timeout?.attemptDurationSeconds != null && timeout.attemptDurationSeconds < 60
        ? fault("timeout", `${timeout.attemptDurationSeconds} s`)
        : []
    )
  },
  {
    id: "log-driver",
    why: "The doctor and the operators read CloudWatch Logs: without awslogs a failure leaves no trace",
    fix: "Set logConfiguration.logDriver to awslogs with awslogs-group",
    check: each(({ containerProperties }) => {
      if (containerProperties == null) return []
      const log = containerProperties.logConfiguration
      return log?.logDriver !== "awslogs"
        ? fault("logConfiguration", log?.logDriver ?? "none")
        : log.options?.["awslogs-group"] == null
        ? fault("logConfiguration.options", "no awslogs-group")
        : []
    })
  },
  {
    id: "signals-reach-the-program",
    why: "Docker signals PID 1 alone: a shell there keeps SIGTERM from the encode, which is then killed 30 s later",
    fix: "Start the program itself, by tini, or by a shell that says exec",
    check: each(({ containerProperties }) => {
      const command = containerProperties?.command ?? []
      return forwardsSignals(command) ? [] : fault("command", command.join(" "))
    })
  },
  {
    id: "execution-role-given",
    why: "Secrets are read, and on Fargate images are pulled, with the execution role",
    fix: "Set executionRoleArn",
    check: each(({ containerProperties, platformCapabilities }) => {
      if (containerProperties == null || containerProperties.executionRoleArn != null) return []
      if ((containerProperties.secrets ?? []).length > 0) return fault("executionRoleArn", "none, with secrets")
      return platformCapabilities?.includes("FARGATE") === true ? fault("executionRoleArn", "none, on Fargate") : []
    })
  },
  {
    id: "too-many-tags",
    why: "With propagateTags, a job of more than 50 tags is moved to FAILED",
    fix: "Use fewer tags or turn propagateTags off",
    check: each(({ propagateTags, tags }) => {
      const count = Object.keys(tags ?? {}).length
      return propagateTags === true && count > 50 ? fault("tags", count) : []
    })
  }
]
