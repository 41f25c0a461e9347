import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { decodeSetup, lintSetup, setupOf } from "../../src/doctor/index.ts"

const userData = (draining: boolean): string =>
  `#!/bin/bash\necho ECS_ENABLE_SPOT_INSTANCE_DRAINING=${draining} >> /etc/ecs/ecs.config\n`

/** A template as people write it by hand: numbers as text, lists in parameters, resources without names of their own. */
const template = (launchTemplateData: { readonly UserData: unknown }) => ({
  Parameters: {
    Subnets: { Type: "CommaDelimitedList" },
    Groups: { Type: "AWS::SSM::Parameter::Value<List<String>>" },
    Types: { Type: "CommaDelimitedList", Default: "c6i.2xlarge, c6a.2xlarge" },
    Memory: { Type: "Number", Default: 7168 }
  },
  Resources: {
    ServiceRole: { Type: "AWS::IAM::Role", Properties: {} },
    Start: { Type: "AWS::EC2::LaunchTemplate", Properties: { LaunchTemplateData: launchTemplateData } },
    Environment: {
      Type: "AWS::Batch::ComputeEnvironment",
      Properties: {
        ComputeEnvironmentName: "academy-video-batch-ce",
        Type: "MANAGED",
        ServiceRole: { "Fn::GetAtt": ["ServiceRole", "Arn"] },
        ComputeResources: {
          Type: "SPOT",
          AllocationStrategy: "SPOT_PRICE_CAPACITY_OPTIMIZED",
          MaxvCpus: "64",
          InstanceTypes: { Ref: "Types" },
          InstanceRole: "ecsInstanceRole",
          Subnets: { Ref: "Subnets" },
          SecurityGroupIds: { Ref: "Groups" },
          LaunchTemplate: { LaunchTemplateId: { Ref: "Start" }, Version: "$Latest" }
        }
      }
    },
    Definition: {
      Type: "AWS::Batch::JobDefinition",
      Properties: {
        JobDefinitionName: "academy-video-batch-jobdef",
        Type: "container",
        Timeout: { AttemptDurationSeconds: "3600" },
        RetryStrategy: {
          Attempts: "3",
          EvaluateOnExit: [
            { OnStatusReason: "Host EC2*", Action: "RETRY" },
            { OnExitCode: 75, Action: "RETRY" },
            { OnExitCode: 143, Action: "RETRY" },
            { OnReason: "*", Action: "EXIT" }
          ]
        },
        ContainerProperties: {
          Image: "worker:1",
          ResourceRequirements: [{ Type: "VCPU", Value: 4 }, { Type: "MEMORY", Value: { Ref: "Memory" } }],
          LogConfiguration: { LogDriver: "awslogs", Options: { "awslogs-group": "/aws/batch/academy-video-worker" } }
        }
      }
    }
  }
})

const rulesOf = Effect.fnUntraced(function*(launchTemplateData: { readonly UserData: unknown }) {
  const setup = setupOf([yield* decodeSetup(JSON.stringify(template(launchTemplateData)))])
  assert.deepStrictEqual(setup.computeEnvironments[0]?.computeResources?.instanceTypes, ["c6i.2xlarge", "c6a.2xlarge"])
  return lintSetup(setup).map(({ rule }) => rule)
})

describe("a template that was written by hand", () => {
  it.effect("passes where it is sound", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* rulesOf({ UserData: { "Fn::Base64": userData(true) } }), [])
      assert.deepStrictEqual(yield* rulesOf({ UserData: Buffer.from(userData(true)).toString("base64") }), [])
    }))

  it.effect("is found out by the user data of a launch template that it names by reference alone", () =>
    Effect.gen(function*() {
      const found = ["environment-spot-draining"]
      assert.deepStrictEqual(yield* rulesOf({ UserData: { "Fn::Base64": userData(false) } }), found)
      assert.deepStrictEqual(yield* rulesOf({ UserData: Buffer.from(userData(false)).toString("base64") }), found)
    }))
})
