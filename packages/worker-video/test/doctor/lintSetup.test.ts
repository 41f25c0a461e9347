import { Effect, Schema } from "effect"
import { assert, describe, it } from "vitest"
import { decodeSetup, Evidence, isEmptySetup, lintRules, lintSetup, setupOf } from "../../src/doctor/index.ts"
import { readFixtures } from "./Fixture.ts"

const faults = readFixtures("faults", Schema.Struct({ expected: Schema.Struct({ rule: Schema.String }), setup: Evidence }))
const sound = readFixtures("sound", Evidence)

const rulesFoundIn = (evidence: Evidence) => [...new Set(lintSetup(setupOf([evidence])).map(({ rule }) => rule))]

describe("lintSetup", () => {
  for (const [name, { expected, setup }] of faults) {
    it(`finds ${name} by ${expected.rule} and by nothing else`, () => {
      assert.deepStrictEqual(rulesFoundIn(setup), [expected.rule])
    })
  }

  for (const [name, setup] of sound) {
    it(`finds nothing in the sound setup ${name}`, () => {
      assert.deepStrictEqual(lintSetup(setupOf([setup])), [])
    })
  }

  it("has a seeded fault for every rule, 20 or more, and 5 sound setups", () => {
    const seeded = new Set(faults.map(([, { expected }]) => expected.rule))
    assert.deepStrictEqual(lintRules.map(({ id }) => id).filter((id) => !seeded.has(id)), [])
    assert.isAtLeast(faults.length, 20)
    assert.isAtLeast(sound.length, 5)
  })

  it("says where, what was found, why and what to do", () => {
    for (const [name, { setup }] of faults) {
      for (const finding of lintSetup(setupOf([setup]))) {
        for (const text of Object.values(finding)) assert.match(text, /\S/, name)
      }
    }
  })

  it("judges the active revision with the highest number, wherever it stands", () => {
    const [, fault] = faults.find(([name]) => name === "timeout-missing") ?? []
    const [, good] = sound.find(([name]) => name === "spot-x86") ?? []
    const [bad] = fault?.setup.describeJobDefinitions?.jobDefinitions ?? []
    const [definition] = good?.describeJobDefinitions?.jobDefinitions ?? []
    assert.isDefined(bad)
    assert.isDefined(definition)
    const rulesOf = (revisions: ReadonlyArray<readonly [number, string, typeof bad]>) =>
      rulesFoundIn({
        ...good,
        describeJobDefinitions: { jobDefinitions: revisions.map(([revision, status, it]) => ({ ...it, revision, status })) }
      })
    assert.deepStrictEqual(rulesOf([[9, "ACTIVE", bad], [10, "ACTIVE", definition], [8, "ACTIVE", bad]]), [])
    assert.deepStrictEqual(rulesOf([[9, "ACTIVE", definition], [10, "INACTIVE", bad]]), [])
    assert.deepStrictEqual(rulesOf([[9, "ACTIVE", definition], [10, "ACTIVE", bad]]), ["timeout-missing"])
  })

  it("goes by the names that the environment gives the code", () => {
    const [, setup] = sound[0] ?? []
    const names = { jobQueue: "q2", jobDefinition: "d2", computeEnvironment: "academy-video-batch-ce", logGroup: "/aws/batch/academy-video-worker" }
    assert.deepStrictEqual(lintSetup(setupOf([setup ?? {}]), names).map(({ rule }) => rule), ["name-of-queue", "name-of-definition"])
  })

  it("reads answers of describe calls and requests beside bundles, and puts them together", async () => {
    const files = await Promise.all([
      { jobQueues: [{ jobQueueName: "q", computeEnvironmentOrder: [{ order: 1, computeEnvironment: "ce" }] }] },
      { computeEnvironmentName: "ce", type: "MANAGED" },
      { jobDefinitionName: "d", type: "container" }
    ].map((file) => Effect.runPromise(decodeSetup(JSON.stringify(file)))))
    const setup = setupOf(files)
    assert.strictEqual(setup.jobQueues[0]?.jobQueueName, "q")
    assert.strictEqual(setup.computeEnvironments[0]?.computeEnvironmentName, "ce")
    assert.strictEqual(setup.jobDefinitions[0]?.jobDefinitionName, "d")
  })

  it("tells a file that holds nothing to check from one that is sound", async () => {
    assert.isTrue(isEmptySetup(setupOf([await Effect.runPromise(decodeSetup("{\"hello\":1}"))])))
    assert.strictEqual((await Effect.runPromise(Effect.result(decodeSetup("not JSON"))))._tag, "Failure")
  })
})
