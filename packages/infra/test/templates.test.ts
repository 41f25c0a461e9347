import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { batchComputeEnvironment, batchLogGroup, batchVariables } from "@lectern/adapters/batch"
import {
  readEnvironment,
  s3Settings,
  serviceContradictions,
  serviceVariables,
  sqsQueues
} from "@lectern/adapters/environment"
import { jobQueueNames, maxReceiveCount, messagingQueueName } from "@lectern/adapters/sqs"
import { decodeSetup, ExitCode, lintSetup, setupOf } from "@lectern/worker-video/doctor"
import { Effect, Option, Schema } from "effect"
import { templates } from "../src/index.ts"

const Body = Schema.Struct({
  Parameters: Schema.optional(Schema.Record(Schema.String, Schema.Json)),
  Resources: Schema.Record(
    Schema.String,
    Schema.Struct({
      Type: Schema.String,
      Properties: Schema.Record(Schema.String, Schema.Json),
      DeletionPolicy: Schema.optional(Schema.String)
    })
  )
})

const Named = Schema.Struct({ Name: Schema.String })
const Definition = Schema.Struct({
  ContainerProperties: Schema.Struct({
    Environment: Schema.optional(Schema.Array(Named)),
    Secrets: Schema.Array(Named)
  })
})

/** A value of the form that a variable of this name has. */
const plausible = (name: string): string =>
  name === "DATABASE_URL"
    ? "postgres://services"
    : name === "REDIS_URL"
    ? "redis://services"
    : /URL|ENDPOINT/.test(name)
    ? "https://services"
    : /CONTAINER/.test(name)
    ? "2"
    : "a-name"

const synthesised = Effect.gen(function*() {
  const made = yield* templates
  return new Map(yield* Effect.forEach(made, ({ body, name }) =>
    Effect.map(Schema.decodeUnknownEffect(Body)(body), (decoded) => [name, decoded] as const)))
}).pipe(Effect.provide(NodeServices.layer))

const resourcesOf = Effect.fnUntraced(function*(type: string) {
  return [...(yield* synthesised).values()].flatMap(({ Resources }) =>
    Object.values(Resources).filter(({ Type }) => Type === type)
  )
})

const valuesOf = (type: string, property: string) =>
  Effect.map(resourcesOf(type), (found) => found.map(({ Properties }) => Properties[property]))

describe("the templates", () => {
  it.effect("bear the names that the code goes by", () =>
    Effect.gen(function*() {
      assert.include(yield* valuesOf("AWS::Batch::JobQueue", "JobQueueName"), batchVariables.jobQueue.default)
      assert.include(yield* valuesOf("AWS::Batch::JobDefinition", "JobDefinitionName"), batchVariables.jobDefinition.default)
      assert.include(yield* valuesOf("AWS::Batch::ComputeEnvironment", "ComputeEnvironmentName"), batchComputeEnvironment)
      assert.include(yield* valuesOf("AWS::Logs::LogGroup", "LogGroupName"), batchLogGroup)
      assert.sameMembers(
        [...(yield* valuesOf("AWS::SQS::Queue", "QueueName"))],
        [...Object.values(jobQueueNames), messagingQueueName].flatMap(({ deadLetterQueue, queue }) => [queue, deadLetterQueue])
      )
    }))

  it.effect("pass the lint that is run before a deployment", () =>
    Effect.gen(function*() {
      const setups = yield* Effect.forEach((yield* synthesised).values(), (body) => decodeSetup(JSON.stringify(body)))
      const setup = setupOf(setups)
      assert.deepStrictEqual(lintSetup(setup), [])
      // The lint has seen what it was to judge.
      assert.lengthOf(setup.jobDefinitions, 2)
      assert.lengthOf(setup.jobQueues, 2)
      assert.lengthOf(setup.computeEnvironments, 3)
      assert.match(setup.launchTemplates?.[0]?.userData ?? "", /ECS_ENABLE_SPOT_INSTANCE_DRAINING=true/)
    }))

  it.effect("are found out by that lint when they are spoilt", () =>
    Effect.gen(function*() {
      const text = JSON.stringify((yield* synthesised).get("lectern-video"))
      const rulesAfter = Effect.fnUntraced(function*(from: string, to: string) {
        const spoilt = text.replaceAll(from, to)
        assert.notStrictEqual(spoilt, text)
        return [...new Set(lintSetup(setupOf([yield* decodeSetup(spoilt)])).map(({ rule }) => rule))]
      })
      assert.deepStrictEqual(yield* rulesAfter("\"7168\"", "\"16384\""), ["memory-fits"])
      assert.deepStrictEqual(yield* rulesAfter("academy-video-batch-queue", "academy-video-batch-queu"), ["name-of-queue"])
      assert.deepStrictEqual(yield* rulesAfter("SPOT_INSTANCE_DRAINING=true", "SPOT_INSTANCE_DRAINING=false"), [
        "environment-spot-draining"
      ])
      assert.deepStrictEqual(yield* rulesAfter("\"OnExitCode\":\"75\"", "\"OnExitCode\":\"64\""), ["retry-own-exit-codes"])
      assert.deepStrictEqual(yield* rulesAfter("c6i.2xlarge", "c7g.2xlarge"), ["environment-one-architecture"])
    }))

  it.effect("retry the exits that a retry helps and no others of ours", () =>
    Effect.gen(function*() {
      const text = JSON.stringify((yield* synthesised).get("lectern-video"))
      const retried = [...text.matchAll(/"Action":"RETRY","OnExitCode":"(\d+)"/g)].map(([, code]) => Number(code))
      assert.sameMembers(retried, [ExitCode.temporary, ExitCode.preempted])
    }))

  it.effect("keep logs for a time, and keep them and the queues when a stack is removed", () =>
    Effect.gen(function*() {
      const logGroups = yield* resourcesOf("AWS::Logs::LogGroup")
      assert.lengthOf(logGroups, 2)
      for (const { DeletionPolicy, Properties } of [...logGroups, ...(yield* resourcesOf("AWS::SQS::Queue"))]) {
        assert.strictEqual(DeletionPolicy, "Retain")
        assert.isAbove(Number(Properties["RetentionInDays"] ?? Properties["MessageRetentionPeriod"]), 0)
      }
    }))

  it.effect("put a message aside after as many receives as the consumers reckon with", () =>
    Effect.gen(function*() {
      const policies = (yield* valuesOf("AWS::SQS::Queue", "RedrivePolicy")).filter((policy) => policy !== undefined)
      assert.lengthOf(policies, 4)
      for (const policy of policies) assert.propertyVal(policy, "maxReceiveCount", maxReceiveCount)
    }))

  it.effect("never schedule anything on the queue of the encodes", () =>
    Effect.gen(function*() {
      const schedules = yield* resourcesOf("AWS::Scheduler::Schedule")
      assert.lengthOf(schedules, 2)
      const text = JSON.stringify(schedules)
      assert.notInclude(text, batchVariables.jobQueue.default)
      assert.include(text, "academy-ops-jobdef")
    }))

  it.effect("give containers a root that they cannot write to, and no secret in the open", () =>
    Effect.gen(function*() {
      const definitions = yield* valuesOf("AWS::Batch::JobDefinition", "ContainerProperties")
      assert.lengthOf(definitions, 2)
      for (const container of definitions) {
        assert.propertyVal(container, "ReadonlyRootFilesystem", true)
        const variables = JSON.stringify(Object.fromEntries(Object.entries(container ?? {}).filter(([key]) => key === "Environment")))
        assert.notMatch(variables, /URL|KEY|SECRET/)
      }
    }))

  it.effect("give each container all the variables that its program reads of its services", () =>
    Effect.gen(function*() {
      const given = (stack: string) =>
        Effect.gen(function*() {
          const { ContainerProperties } = yield* Schema.decodeUnknownEffect(Definition)(
            Object.values((yield* synthesised).get(stack)?.Resources ?? {})
              .find(({ Type }) => Type === "AWS::Batch::JobDefinition")?.Properties
          )
          const { Environment = [], Secrets } = ContainerProperties
          const variables = [...Environment, ...Secrets].map(({ Name }) => [Name, plausible(Name)])
          return yield* readEnvironment(serviceVariables, Object.fromEntries(variables), serviceContradictions)
        })
      const upkeep = yield* given("lectern-operations")
      assert.isTrue(Option.isSome(sqsQueues(upkeep)))
      assert.isTrue(Option.isSome(s3Settings(upkeep)))
      assert.containsAllKeys(upkeep, [
        "AWS_REGION",
        "DATABASE_URL",
        "REDIS_URL",
        "VIDEO_BATCH_JOB_QUEUE",
        "VIDEO_BATCH_JOB_DEFINITION",
        "VIDEO_BATCH_MAX_CONTAINERS",
        "VIDEO_BATCH_GB_PER_CONTAINER"
      ])
      const encode = yield* given("lectern-video")
      assert.isTrue(Option.isSome(s3Settings(encode)))
      assert.containsAllKeys(encode, ["DATABASE_URL", "REDIS_URL"])
    }))

  it.effect("are the same whenever they are made", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* synthesised, yield* synthesised)
    }))
})
