/** `docs/infrastructure.md`: what stands where under which name, and who may do what. */
import { arnsIn } from "./Arns.ts"
import { encodeJob, maxVcpus } from "./EncodeJob.ts"
import { policies, roles } from "./grants.ts"
import { operationsNames, queueNames, videoNames } from "./InfraNames.ts"
import type { Grant } from "./Permission.ts"
import { retryRules } from "./retryRules.ts"

const arns = arnsIn({ partition: "aws", region: "REGION", account: "ACCOUNT", secret: "the services' secret" })

const code = (text: string): string => `\`${text}\``
const table = (head: ReadonlyArray<string>, rows: ReadonlyArray<ReadonlyArray<string>>): ReadonlyArray<string> =>
  [head, head.map(() => "---"), ...rows].map((row) => `| ${row.join(" | ")} |`)

const grantSection = (grant: Grant): ReadonlyArray<string> => [
  `### ${code(grant.name)}`,
  "",
  grant.purpose,
  "",
  ...(grant.permissions.length === 0 && grant.managedPolicies.length === 0
    ? ["It may do nothing.", ""]
    : [
      ...table(["May", "On", "Why", "Why with `*`"], [
        ...grant.managedPolicies.map(({ name, why }) => [`AWS's policy ${code(name)}`, "what it says", why, ""]),
        ...grant.permissions.map(({ actions, resources, why, wildcard }) => [
          actions.map(code).join("<br>"),
          resources(arns).map(code).join("<br>"),
          why,
          wildcard ?? ""
        ])
      ]),
      ""
    ])
]

export const infrastructureDocument = (): string =>
  [
    "# The infrastructure on AWS",
    "",
    "Made from `packages/infra`, which has its names from the code that uses them; `npm run docs:infra -w @lectern/infra` writes it",
    "anew, and a test compares. `lectern infra synth --out DIR` writes the templates and holds them against `lectern lint-batch`;",
    "`aws cloudformation deploy --template-file DIR/lectern-video.template.json --stack-name lectern-video --capabilities CAPABILITY_NAMED_IAM",
    "--parameter-overrides ...` deploys one. The order: `lectern-video`, `lectern-queues`, `lectern-operations`.",
    "",
    "## Names",
    "",
    ...table(["What", "Name"], [
      ["queue of the encodes", code(videoNames.jobQueue)],
      ["definition of the encodes", code(videoNames.jobDefinition)],
      ["environment, Spot", code(videoNames.computeEnvironment)],
      ["environment, on demand, second in order", code(videoNames.onDemandEnvironment)],
      ["launch template", code(videoNames.launchTemplate)],
      ["log group of the encodes", code(videoNames.logGroup)],
      ["image of the encodes", code(videoNames.repository)],
      ["queue, definition, environment of the upkeep", [
        operationsNames.jobQueue,
        operationsNames.jobDefinition,
        operationsNames.computeEnvironment
      ].map(code).join(", ")],
      ["schedules", [operationsNames.sweepSchedule, operationsNames.reconcileSchedule].map(code).join(", ")],
      ["log group of the upkeep", code(operationsNames.logGroup)],
      ["image of the upkeep", code(operationsNames.repository)],
      ...queueNames.map(({ deadLetterQueue, queue }) => ["queue and its dead letters", `${code(queue)}, ${code(deadLetterQueue)}`])
    ]),
    "",
    "## An encode",
    "",
    `${encodeJob.vcpus} vCPUs, ${encodeJob.memory} MiB, ${encodeJob.attemptSeconds} s an attempt, ${encodeJob.attempts} attempts of Batch's own, on ` +
    `${encodeJob.instanceTypes.map(code).join(", ")}; at most ${maxVcpus.spot} vCPUs of Spot and ${maxVcpus.onDemand} on demand at once.`,
    "",
    ...table(["After", "Batch does"], retryRules.map(({ action, onExitCode, onReason, onStatusReason }) => [
      onExitCode === undefined
        ? onStatusReason === undefined ? `reason ${code(onReason ?? "*")}` : `status reason ${code(onStatusReason)}`
        : `exit code ${code(onExitCode)}`,
      action
    ])),
    "",
    "## Roles",
    "",
    ...table(["Role", "Assumed by", "Used by", "Made by"], roles.map(({ assumedBy, name, usedBy }) => [
      code(name),
      assumedBy.map(code).join(", "),
      usedBy,
      `${code("packages/infra/src/grants.ts")}, ${code("lectern infra synth")}`
    ])),
    "",
    ...roles.flatMap(grantSection),
    "## Policies for roles that others make",
    "",
    ...policies.flatMap(grantSection)
  ].join("\n")
