/** What is to be deployed, or is: job definitions, queues, environments and what they refer to. */
import { Effect, Schema } from "effect"
import { bundleOfTemplate, isTemplate } from "./cloudFormation.ts"
import { type ComputeEnvironment, Evidence, type JobDefinition, type JobQueue } from "./Evidence.ts"

export interface Setup {
  readonly jobDefinitions: ReadonlyArray<JobDefinition>
  readonly jobQueues: ReadonlyArray<JobQueue>
  readonly computeEnvironments: ReadonlyArray<ComputeEnvironment>
  /** Of each, `null` where nobody has looked; nothing is said about them then. */
  readonly logGroups: ReadonlyArray<{ readonly name: string; readonly retentionInDays: number | null }> | null
  readonly launchTemplates: ReadonlyArray<{ readonly names: ReadonlyArray<string>; readonly userData: string }> | null
  /** Whether everything was looked for, as it is deployed: what is not in it is not there. */
  readonly whole: boolean
  /** The platforms of images that were looked up. */
  readonly evidence: Evidence
}

/** Where an answer of a describe call, and a request that makes such a thing, stand in a bundle. */
const places = [
  { call: "describeJobDefinitions", list: "jobDefinitions", name: "jobDefinitionName" },
  { call: "describeJobQueues", list: "jobQueues", name: "jobQueueName" },
  { call: "describeComputeEnvironments", list: "computeEnvironments", name: "computeEnvironmentName" },
  { call: "describeLogGroups", list: "logGroups", name: "logGroupName" }
] as const

/** `aws batch describe-job-queues > queue.json` writes an answer; a file for `--cli-input-json` is one object with its name. */
const asBundle = (value: unknown): unknown => {
  if (isTemplate(value)) return bundleOfTemplate(value)
  if (typeof value !== "object" || value === null) return value
  const found = places.flatMap(({ call, list, name }) =>
    list in value ? [[call, value]] : name in value ? [[call, { [list]: [value] }]] : []
  )
  return found.length === 0 ? value : { ...value, ...Object.fromEntries(found) }
}

const decodeJson = Schema.decodeUnknownEffect(Schema.fromJsonString(Schema.Json))
const decodeEvidence = Schema.decodeUnknownEffect(Evidence)

/**
 * Reads one file for the lint: a bundle, an answer of a describe call, a request that makes a definition, a queue or an
 * environment, or a CloudFormation template. Fails with what is wrong in it and where; JSON of another shape holds nothing (see `isEmptySetup`).
 */
export const decodeSetup = (content: string) =>
  decodeJson(content).pipe(Effect.flatMap((value) => decodeEvidence(asBundle(value))))

/** Of each name, the ACTIVE revision with the highest number. */
const latest = (definitions: ReadonlyArray<JobDefinition>): ReadonlyArray<JobDefinition> => {
  const byName = new Map<string, JobDefinition>()
  for (const definition of definitions) {
    if (definition.status != null && definition.status !== "ACTIVE") continue
    const name = definition.jobDefinitionName ?? ""
    const known = byName.get(name)
    if (known === undefined || (definition.revision ?? 0) > (known.revision ?? 0)) byName.set(name, definition)
  }
  return [...byName.values()]
}

/** Puts several files, or what a look at everything has found (`whole`), together into one setup. */
export const setupOf = (files: ReadonlyArray<Evidence>, whole = false): Setup => {
  const logGroups = files.flatMap((file) => file.describeLogGroups?.logGroups ?? [])
  const launchTemplates = files.flatMap((file) => file.launchTemplates ?? [])
  return {
    jobDefinitions: latest(files.flatMap((file) => file.describeJobDefinitions?.jobDefinitions ?? [])),
    jobQueues: files.flatMap((file) => file.describeJobQueues?.jobQueues ?? []),
    computeEnvironments: files.flatMap((file) => file.describeComputeEnvironments?.computeEnvironments ?? []),
    logGroups: files.some((file) => file.describeLogGroups?.logGroups != null)
      ? logGroups.map(({ logGroupName, retentionInDays }) => ({
        name: logGroupName ?? "",
        retentionInDays: retentionInDays ?? null
      }))
      : null,
    launchTemplates: files.some((file) => file.launchTemplates != null)
      ? launchTemplates.map(({ launchTemplateId, launchTemplateName, userData }) => ({
        names: [launchTemplateName, launchTemplateId].flatMap((name) => name == null ? [] : [name]),
        userData: userData ?? ""
      }))
      : null,
    whole,
    evidence: { images: files.flatMap((file) => file.images ?? []) }
  }
}

/** Whether there is nothing in it to check. */
export const isEmptySetup = (setup: Setup): boolean =>
  setup.jobDefinitions.length === 0 && setup.jobQueues.length === 0 && setup.computeEnvironments.length === 0
