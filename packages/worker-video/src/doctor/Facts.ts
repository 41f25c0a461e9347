/** What the evidence says about one job, put together once: the symptoms look at nothing else. */
import { containerVariables } from "@lectern/adapters/batch"
import { childOf, childStates, childStatesText } from "./arrayChildren.ts"
import type {
  Attempt,
  ComputeEnvironment,
  Container,
  ContainerProperties,
  Evidence,
  Job,
  JobDefinition,
  JobQueue,
  MissingAnswer,
  SeenInHistory
} from "./Evidence.ts"
import { type ExpectedNames, nameOf } from "./ExpectedNames.ts"
import { type Architecture, architectureOf, instanceType, mostAvailableMemory } from "./InstanceType.ts"

/** Where a text stands, which a symptom is recognised by. */
export type TextField =
  | "statusReason"
  | "containerReason"
  | "log"
  | "environmentReason"
  | "queueReason"
  | "scalingActivity"

export interface Facts {
  readonly names: ExpectedNames
  /** The id that the sentence names: Batch's, or what was asked for. */
  readonly jobId: string
  readonly status: string
  /** Where an array was asked for and a child of it described, that child. */
  readonly job: Job | null
  /** How many children of the array that was asked for are in which state; `null` for a job that is no array. */
  readonly children: ReadonlyMap<string, number> | null
  readonly attempt: Attempt | null
  readonly queue: JobQueue | null
  /** In the queue's order. */
  readonly environments: ReadonlyArray<ComputeEnvironment>
  /** Whether Batch has answered which environments there are. */
  readonly environmentsKnown: boolean
  readonly missing: ReadonlyArray<MissingAnswer>
  /** What Batch said before, oldest first. */
  readonly history: ReadonlyArray<SeenInHistory>
  readonly texts: Readonly<Record<TextField, ReadonlyArray<string>>>
  readonly exitCode: number | null
  /** Minutes since the job or its next attempt began to wait; `null` when the evidence has no time. */
  readonly waitedMinutes: number | null
  /** 1 is the head of the queue; `null` when the snapshot does not name the job. */
  readonly position: number | null
  readonly minutesAtPosition: number | null
  readonly vcpus: number | null
  /** MiB. */
  readonly memory: number | null
  /** The most memory, in MiB, that a container can hope for in these environments; `null` when a type is not known. */
  readonly memoryLimit: number | null
  readonly imageArchitecture: Architecture | null
  /** Those of the instance types of all environments; empty when they are not known. */
  readonly architectures: ReadonlySet<Architecture>
  readonly registeredInstances: number | null
  readonly disconnectedAgents: number
  /** Of all environments together; `null` when nothing is known about one. */
  readonly maxVcpus: number | null
  readonly desiredVcpus: number | null
  /** What the job waits for when it has been cancelled by the queue's time limit. */
  readonly timeLimitReason: string | null
}

const present = <A>(value: A | null | undefined): ReadonlyArray<A> => value == null ? [] : [value]

const sameResource = (one: string | null | undefined, other: string | null | undefined): boolean =>
  one != null && other != null && (one === other || nameOf(one) === nameOf(other))

const isChild = (job: Job): boolean => job.arrayProperties?.index != null

const findJob = (evidence: Evidence): Job | null => {
  const jobs = evidence.describeJobs?.jobs ?? []
  const asked = evidence.askedFor
  if (asked == null) return jobs[0] ?? null
  return jobs.find((job) => job.jobId === asked || job.jobArn === asked) ??
    jobs.filter((job) =>
      job.container?.environment?.some(({ name, value }) => name === containerVariables.jobId && value === asked) === true
    ).toSorted((a, b) => Number(isChild(a)) - Number(isChild(b)) || (b.createdAt ?? 0) - (a.createdAt ?? 0))[0] ?? null
}

const requirement = (container: Container | ContainerProperties, kind: string): number | null => {
  const value = container.resourceRequirements?.find(({ type }) => type?.toUpperCase() === kind)?.value
  const asked = value == null ? kind === "VCPU" ? container.vcpus : container.memory : Number(value)
  return asked != null && Number.isFinite(asked) ? asked : null
}

/** vCPUs that a container asks for. */
export const requestedVcpus = (container: Container | ContainerProperties): number | null => requirement(container, "VCPU")

/** MiB that a container asks for. */
export const requestedMemory = (container: Container | ContainerProperties): number | null => requirement(container, "MEMORY")

/** Instance types or families of an environment, `optimal` taken for what it is. */
export const architecturesOf = (environment: ComputeEnvironment): ReadonlySet<Architecture> =>
  new Set((environment.computeResources?.instanceTypes ?? []).flatMap((name) => {
    if (name === "optimal" || name === "default_x86_64") return ["amd64" as const]
    if (name === "default_arm64") return ["arm64" as const]
    return present(architectureOf(name))
  }))

/** For what an image was built: as somebody has looked it up, as its container says, or as its tag says in clear words. */
export const imageArchitectureOf = (
  container: Container | ContainerProperties,
  evidence: Evidence
): Architecture | null => {
  const platforms = evidence.images?.find(({ image }) => image === container.image)?.platforms
  if (platforms !== undefined) {
    const found = new Set(platforms.map((platform) => platform.includes("arm64") ? "arm64" as const : "amd64" as const))
    const [only] = found
    return found.size === 1 && only !== undefined ? only : null
  }
  const declared = container.runtimePlatform?.cpuArchitecture?.toUpperCase()
  if (declared === "ARM64") return "arm64"
  if (declared === "X86_64") return "amd64"
  const tag = /:([^/:]+)$/.exec(container.image ?? "")?.[1]?.toLowerCase() ?? ""
  if (/(^|[-_.])(arm64|aarch64)($|[-_.])/.test(tag)) return "arm64"
  return /(^|[-_.])(amd64|x86_64)($|[-_.])/.test(tag) ? "amd64" : null
}

/** The largest limit over all types, or `null` where one of them is unknown: it might be large enough. */
const memoryLimitOf = (environments: ReadonlyArray<ComputeEnvironment>): number | null => {
  if (environments.some(({ computeResources }) => (computeResources?.instanceTypes ?? []).length === 0)) return null
  let limit: number | null = null
  for (const name of environments.flatMap(({ computeResources }) => computeResources?.instanceTypes ?? [])) {
    const type = instanceType(name)
    if (type === null) return null
    limit = Math.max(limit ?? 0, mostAvailableMemory(type))
  }
  return limit
}

const sumOf = (
  environments: ReadonlyArray<ComputeEnvironment>,
  field: "maxvCpus" | "desiredvCpus"
): number | null => {
  const values = environments.map(({ computeResources }) => computeResources?.[field] ?? null)
  return values.length === 0 || values.includes(null) ? null : values.reduce<number>((sum, value) => sum + (value ?? 0), 0)
}

const environmentsOf = (evidence: Evidence, queue: JobQueue | null): ReadonlyArray<ComputeEnvironment> => {
  const all = evidence.describeComputeEnvironments?.computeEnvironments ?? []
  if (queue?.computeEnvironmentOrder == null) return all
  return queue.computeEnvironmentOrder.toSorted((a, b) => (a.order ?? 0) - (b.order ?? 0)).flatMap((entry) =>
    present(all.find((environment) =>
      sameResource(environment.computeEnvironmentArn, entry.computeEnvironment) ||
      sameResource(environment.computeEnvironmentName, entry.computeEnvironment)
    ))
  )
}

const findDefinition = (evidence: Evidence, job: Job | null): JobDefinition | null => {
  const definitions = evidence.describeJobDefinitions?.jobDefinitions ?? []
  return definitions.find(({ jobDefinitionArn }) => jobDefinitionArn != null && jobDefinitionArn === job?.jobDefinition) ??
    latestDefinition(definitions)
}

/** The ACTIVE revision with the highest number: AWS promises no order. */
export const latestDefinition = (definitions: ReadonlyArray<JobDefinition>): JobDefinition | null =>
  definitions.filter(({ status }) => status == null || status === "ACTIVE")
    .toSorted((a, b) => (b.revision ?? 0) - (a.revision ?? 0))[0] ?? null

const minutesBetween = (from: number | null | undefined, now: number): number | null =>
  from == null ? null : Math.max(0, (now - from) / 60_000)

const timeLimitPattern = /^Canceled by JobStateTimeLimit action due to reason:\s*(.*)$/is

const ended = new Set(["SUCCEEDED", "FAILED"])

/** Puts together what the evidence says. Total: whatever is missing is `null` or empty. */
export const factsOf = (evidence: Evidence, now: number, names: ExpectedNames): Facts => {
  const itself = findJob(evidence)
  const job = itself === null ? null : childOf(itself, evidence.describeJobs?.jobs ?? []) ?? itself
  const status = job?.status ?? "UNKNOWN"
  const attempt = job?.attempts?.at(-1) ?? null
  const queue = evidence.describeJobQueues?.jobQueues?.find((it) =>
    job === null || sameResource(it.jobQueueArn, job.jobQueue) || sameResource(it.jobQueueName, job.jobQueue)
  ) ?? null
  const environments = environmentsOf(evidence, queue)
  const definition = findDefinition(evidence, job)
  const wanted = job?.container ?? definition?.containerProperties ?? null
  const front = evidence.getJobQueueSnapshot?.frontOfQueue?.jobs ?? []
  const place = job?.jobId == null
    ? -1
    : front.findIndex(({ jobArn }) => jobArn === job.jobArn || jobArn?.endsWith(`job/${job.jobId}`) === true)
  const clusters = evidence.describeClusters?.clusters ?? null
  // What an earlier attempt ended with says nothing about why the next one waits.
  const isEnded = ended.has(status)
  const statusReasons = [...present(job?.statusReason), ...(isEnded ? present(attempt?.statusReason) : [])]
  return {
    names,
    jobId: job?.jobId ?? evidence.askedFor ?? "?",
    status,
    job,
    children: itself === null ? null : childStates(itself),
    attempt,
    queue,
    environments,
    environmentsKnown: evidence.describeComputeEnvironments?.computeEnvironments != null,
    missing: evidence.missing ?? [],
    history: evidence.history ?? [],
    texts: {
      statusReason: statusReasons.filter((text) => text.trim() !== ""),
      containerReason: status === "STARTING" || isEnded
        ? [...present(job?.container?.reason), ...(isEnded ? present(attempt?.container?.reason) : [])]
        : [],
      log: isEnded ? evidence.logTail ?? [] : [],
      environmentReason: environments.flatMap(({ statusReason }) => present(statusReason)),
      queueReason: present(queue?.statusReason),
      scalingActivity: (evidence.scalingActivities?.Activities ?? [])
        .filter(({ StatusCode }) => StatusCode == null || StatusCode === "Failed")
        .flatMap(({ StatusMessage }) => present(StatusMessage))
    },
    exitCode: job?.container?.exitCode ?? (isEnded ? attempt?.container?.exitCode ?? null : null),
    waitedMinutes: minutesBetween(
      status === "STARTING" || !isEnded ? Math.max(job?.createdAt ?? 0, attempt?.stoppedAt ?? 0) || null : null,
      now
    ),
    position: place < 0 ? null : place + 1,
    minutesAtPosition: place < 0 ? null : minutesBetween(front[place]?.earliestTimeAtPosition, now),
    vcpus: wanted === null ? null : requestedVcpus(wanted),
    memory: wanted === null ? null : requestedMemory(wanted),
    memoryLimit: memoryLimitOf(environments),
    imageArchitecture: wanted === null ? null : imageArchitectureOf(wanted, evidence),
    architectures: new Set(environments.flatMap((environment) => [...architecturesOf(environment)])),
    registeredInstances: clusters === null || clusters.length === 0
      ? null
      : clusters.reduce((sum, { registeredContainerInstancesCount }) => sum + (registeredContainerInstancesCount ?? 0), 0),
    disconnectedAgents: (evidence.describeContainerInstances?.containerInstances ?? [])
      .filter(({ agentConnected }) => agentConnected === false).length,
    maxVcpus: sumOf(environments, "maxvCpus"),
    desiredVcpus: sumOf(environments, "desiredvCpus"),
    timeLimitReason: job?.statusReason == null ? null : timeLimitPattern.exec(job.statusReason)?.[1] ?? null
  }
}

/** What a symptom's wording and commands may name. */
export const valuesOf = (facts: Facts): Readonly<Record<string, string>> => {
  const say = (value: number | string | null | undefined): string => value == null ? "?" : String(value)
  const log = facts.job?.container?.logConfiguration?.options
  return {
    jobId: facts.jobId,
    queue: facts.queue?.jobQueueName ?? (facts.job?.jobQueue == null ? facts.names.jobQueue : nameOf(facts.job.jobQueue)),
    environment: facts.environments[0]?.computeEnvironmentName ?? facts.names.computeEnvironment,
    cluster: facts.environments[0]?.ecsClusterArn ?? "?",
    definition: facts.job?.jobDefinition == null ? facts.names.jobDefinition : nameOf(facts.job.jobDefinition),
    logGroup: log?.["awslogs-group"] ?? facts.names.logGroup,
    logStream: say(facts.job?.container?.logStreamName ?? facts.attempt?.container?.logStreamName),
    image: say(facts.job?.container?.image),
    exitCode: say(facts.exitCode),
    vcpus: say(facts.vcpus),
    maxVcpus: say(facts.maxVcpus),
    desiredVcpus: say(facts.desiredVcpus),
    memory: say(facts.memory),
    memoryLimit: say(facts.memoryLimit),
    imageArchitecture: say(facts.imageArchitecture),
    instanceArchitecture: say([...facts.architectures].join("/") || null),
    position: say(facts.position),
    minutes: say(facts.waitedMinutes === null ? null : Math.floor(facts.waitedMinutes)),
    timeoutSeconds: say(facts.job?.timeout?.attemptDurationSeconds),
    timeLimitReason: say(facts.timeLimitReason),
    children: say(facts.children === null ? null : childStatesText(facts.children) || null)
  }
}
