import { assert, describe, it } from "vitest"
import { arnsIn } from "../src/Arns.ts"
import { policies, roles } from "../src/grants.ts"

const arns = arnsIn({ partition: "aws", region: "r", account: "1", secret: "arn:aws:secretsmanager:r:1:secret:s" })
const permissions = [...roles, ...policies].flatMap((grant) =>
  grant.permissions.map((permission) => ({ grant, permission, resources: permission.resources(arns) }))
)

describe("grants", () => {
  it("say why for every wildcard, and for nothing else", () => {
    for (const { grant, permission, resources } of permissions) {
      const hasWildcard = resources.some((resource) => resource.includes("*"))
      assert.strictEqual(permission.wildcard !== undefined, hasWildcard, `${grant.name}: ${permission.actions.join(", ")}`)
    }
  })

  it("name every action in full", () => {
    for (const { grant, permission } of permissions) {
      for (const action of permission.actions) assert.match(action, /^[a-z0-9]+:[A-Za-z]+$/, grant.name)
    }
  })

  it("let everything on every resource to nobody but where AWS has no narrower one", () => {
    const wide = permissions.filter(({ resources }) => resources.includes("*")).flatMap(({ permission }) => permission.actions)
    // From the service authorization reference: these have no resource type.
    const unscoped = new Set([
      "ecr:GetAuthorizationToken",
      "batch:DescribeJobs",
      "batch:ListJobs",
      "batch:DescribeJobQueues",
      "batch:DescribeJobDefinitions",
      "batch:DescribeComputeEnvironments",
      "autoscaling:DescribeScalingActivities",
      "autoscaling:DescribeAutoScalingGroups"
    ])
    assert.deepStrictEqual(wide.filter((action) => !unscoped.has(action)), [])
  })

  it("give the encode itself nothing", () => {
    assert.deepStrictEqual(roles.find(({ name }) => name === "academy-video-batch-job")?.permissions, [])
  })

  it("give operators' looks no action that changes anything", () => {
    const doctor = policies.find(({ name }) => name === "academy-doctor")
    for (const { actions } of doctor?.permissions ?? []) {
      for (const action of actions) assert.match(action, /:(Describe|List|Get|Filter)/)
    }
  })
})
