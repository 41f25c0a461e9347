import type { JobQueue } from "../Evidence.ts"
import { nameOf } from "../ExpectedNames.ts"
import type { Setup } from "../Setup.ts"
import type { Fault, LintRule } from "./LintRule.ts"

const each = (check: (queue: JobQueue, setup: Setup) => ReadonlyArray<Fault>) => (setup: Setup): ReadonlyArray<Fault> =>
  setup.jobQueues.flatMap((queue) =>
    check(queue, setup).map(({ found, where }) => ({ where: `job queue ${queue.jobQueueName ?? "?"}, ${where}`, found }))
  )

/** What a job queue must be, and that it leads to environments that are there. */
export const queueRules: ReadonlyArray<LintRule> = [
  {
    id: "queue-usable",
    why: "A DISABLED or INVALID queue starts nothing",
    fix: "Enable it, or repair what its statusReason says",
    check: each(({ state, status, statusReason }) => [
      ...(state?.toUpperCase() === "DISABLED" ? [{ where: "state", found: state }] : []),
      ...(status?.toUpperCase() === "INVALID" ? [{ where: "status", found: `${status}: ${statusReason ?? "no reason"}` }] : [])
    ])
  },
  {
    id: "queue-has-environment",
    why: "A queue without a compute environment starts nothing",
    fix: "Add one to computeEnvironmentOrder",
    check: each(({ computeEnvironmentOrder }) =>
      (computeEnvironmentOrder ?? []).length === 0 ? [{ where: "computeEnvironmentOrder", found: "empty" }] : []
    )
  },
  {
    id: "queue-environment-exists",
    why: "A queue that names an environment which is not there leads nowhere",
    fix: "Make the names in queue and environment equal",
    check: each(({ computeEnvironmentOrder }, { computeEnvironments }) => {
      const known = new Set(computeEnvironments.map(({ computeEnvironmentName }) => computeEnvironmentName))
      return computeEnvironments.length === 0 ? [] : (computeEnvironmentOrder ?? []).flatMap(({ computeEnvironment }) => {
        const name = nameOf(computeEnvironment ?? "")
        return known.has(name) ? [] : [{ where: "computeEnvironmentOrder", found: name }]
      })
    })
  },
  {
    id: "queue-time-limit",
    why: "Batch takes 600 to 86,400 seconds of RUNNABLE with the action CANCEL, and nothing else",
    fix: "Correct jobStateTimeLimitActions",
    check: each(({ jobStateTimeLimitActions }) =>
      (jobStateTimeLimitActions ?? []).flatMap(({ action, maxTimeSeconds, state }, index) => {
        const seconds = maxTimeSeconds ?? 0
        const sound = seconds >= 600 && seconds <= 86_400 && action === "CANCEL" && state === "RUNNABLE"
        return sound
          ? []
          : [{ where: `jobStateTimeLimitActions[${index}]`, found: `${action ?? "?"} after ${seconds} s of ${state ?? "?"}` }]
      })
    )
  }
]
