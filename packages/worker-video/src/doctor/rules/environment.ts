import type { ComputeEnvironment } from "../Evidence.ts"
import { architecturesOf } from "../Facts.ts"
import type { Setup } from "../Setup.ts"
import type { Fault, LintRule } from "./LintRule.ts"

const each = (check: (environment: ComputeEnvironment, setup: Setup) => ReadonlyArray<Fault>) =>
(setup: Setup): ReadonlyArray<Fault> =>
  setup.computeEnvironments.flatMap((environment) =>
    check(environment, setup).map(({ found, where }) => ({
      where: `compute environment ${environment.computeEnvironmentName ?? "?"}, ${where}`,
      found
    }))
  )

const fault = (where: string, found: unknown): ReadonlyArray<Fault> => [{ where, found: String(found) }]

const isSpotOnEc2 = ({ computeResources }: ComputeEnvironment): boolean => computeResources?.type?.toUpperCase() === "SPOT"

const userDataOf = ({ computeResources }: ComputeEnvironment, { launchTemplates }: Setup): string | null => {
  const template = computeResources?.launchTemplate
  if (template == null || launchTemplates === null) return null
  return launchTemplates.find(({ names }) =>
    names.some((name) => name === template.launchTemplateName || name === template.launchTemplateId)
  )?.userData ?? null
}

/** Seconds that ECS gives a container after SIGTERM, or `null` where its default of 30 s holds. */
const stopSeconds = (userData: string): number | null => {
  const found = /ECS_CONTAINER_STOP_TIMEOUT=(\d+)(m?s|m)?/.exec(userData)
  if (found === null) return null
  const factor = found[2] === "m" ? 60 : found[2] === "ms" ? 0.001 : 1
  return Number(found[1]) * factor
}

/** What a compute environment must be to start anything. */
export const environmentRules: ReadonlyArray<LintRule> = [
  {
    id: "environment-usable",
    why: "A DISABLED or INVALID environment starts nothing",
    fix: "Enable it, or repair what its statusReason says",
    check: each(({ state, status, statusReason }) => [
      ...(state?.toUpperCase() === "DISABLED" ? fault("state", state) : []),
      ...(status?.toUpperCase() === "INVALID" ? fault("status", `${status}: ${statusReason ?? "no reason"}`) : [])
    ])
  },
  {
    id: "environment-max-vcpus",
    why: "With maxvCpus 0 no instance may start",
    fix: "Set maxvCpus to what the encodes may use at once",
    check: each(({ computeResources }) => {
      const max = computeResources?.maxvCpus
      return max != null && max < 1 ? fault("maxvCpus", max) : []
    })
  },
  {
    id: "environment-min-vcpus",
    why: "Batch refuses an environment whose minvCpus is above its maxvCpus",
    fix: "Set minvCpus to 0: an environment that waits costs nothing then",
    check: each(({ computeResources }) => {
      const { maxvCpus, minvCpus } = computeResources ?? {}
      return minvCpus != null && maxvCpus != null && minvCpus > maxvCpus
        ? fault("minvCpus", `${minvCpus} above maxvCpus ${maxvCpus}`)
        : []
    })
  },
  {
    id: "environment-one-architecture",
    why: "An image is built for one architecture: instances of two start it by chance",
    fix: "Use instance types of one architecture",
    check: each((environment) => {
      const found = architecturesOf(environment)
      return found.size > 1 ? fault("instanceTypes", (environment.computeResources?.instanceTypes ?? []).join(", ")) : []
    })
  },
  {
    id: "environment-service-role",
    why: "A service role by its mere name leaves the environment INVALID when the role has a path",
    fix: "Give the full ARN, or none for the service-linked role",
    check: each(({ serviceRole }) =>
      serviceRole != null && serviceRole !== "" && !/^arn:aws[a-z-]*:iam::\d{12}:role\/.+/.test(serviceRole)
        ? fault("serviceRole", serviceRole)
        : []
    )
  },
  {
    id: "environment-spot-role",
    why: "Spot with BEST_FIT needs a Spot fleet role",
    fix: "Use SPOT_PRICE_CAPACITY_OPTIMIZED, or set spotIamFleetRole",
    check: each((environment) => {
      const { allocationStrategy, spotIamFleetRole } = environment.computeResources ?? {}
      const bestFit = allocationStrategy == null || allocationStrategy.toUpperCase() === "BEST_FIT"
      return isSpotOnEc2(environment) && bestFit && spotIamFleetRole == null ? fault("spotIamFleetRole", "none") : []
    })
  },
  {
    id: "environment-spot-draining",
    why: "Without ECS_ENABLE_SPOT_INSTANCE_DRAINING=true a reclaimed instance dies without SIGTERM to the encode",
    fix: "Set it in /etc/ecs/ecs.config by the launch template's user data",
    check: each((environment, setup) => {
      if (!isSpotOnEc2(environment)) return []
      if (environment.computeResources?.launchTemplate == null) return fault("launchTemplate", "none, on Spot")
      const userData = userDataOf(environment, setup)
      return userData === null || /ECS_ENABLE_SPOT_INSTANCE_DRAINING=true/.test(userData)
        ? []
        : fault("launchTemplate", "its user data does not set it")
    })
  },
  {
    id: "environment-sigterm-grace",
    why: "A worker needs the whole 30 s after SIGTERM to give its job back",
    fix: "Leave ECS_CONTAINER_STOP_TIMEOUT at 30s or more",
    check: each((environment, setup) => {
      const userData = userDataOf(environment, setup)
      const seconds = userData === null ? null : stopSeconds(userData)
      return seconds !== null && seconds < 30 ? fault("ECS_CONTAINER_STOP_TIMEOUT", `${seconds} s`) : []
    })
  },
  {
    id: "environment-network",
    why: "Instances without subnets or security groups never join the cluster",
    fix: "Give subnets with a route to ECS, ECR and Logs, and a security group",
    check: each(({ computeResources }) => {
      if (computeResources == null) return []
      return [
        ...((computeResources.subnets ?? []).length === 0 ? fault("subnets", "none") : []),
        ...((computeResources.securityGroupIds ?? []).length === 0 && computeResources.launchTemplate == null
          ? fault("securityGroupIds", "none")
          : [])
      ]
    })
  },
  {
    id: "environment-instance-role",
    why: "EC2 instances join the cluster with their instance role",
    fix: "Set instanceRole to a profile with AmazonEC2ContainerServiceforEC2Role",
    check: each(({ computeResources }) =>
      /^(EC2|SPOT)$/i.test(computeResources?.type ?? "") && computeResources?.instanceRole == null
        ? fault("instanceRole", "none")
        : []
    )
  }
]
