import { Schema } from "effect"
import fc from "fast-check"
import { assert, describe, it } from "vitest"
import {
  decodeBundle,
  diagnose,
  encodeBundle,
  Evidence,
  exitCodeOf,
  maxSentenceLength,
  reportOf,
  sentenceOf,
  symptoms
} from "../../src/doctor/index.ts"
import { Effect } from "effect"
import { readFixtures } from "./Fixture.ts"

const Expected = Schema.Struct({ symptom: Schema.String, sentence: Schema.Struct({ ko: Schema.String, en: Schema.String }) })
const fixtures = readFixtures("symptoms", Schema.Struct({ expected: Expected, bundle: Evidence }))

/** Later than every fixture, each of which says when it was collected. */
const now = Date.UTC(2030, 0, 1)

const evidenceOf = (name: string): Evidence => {
  const found = fixtures.find(([it]) => it === name)
  if (found === undefined) throw new Error(`There is no fixture "${name}"`)
  return found[1].bundle
}

describe("diagnose", () => {
  for (const [name, { bundle, expected }] of fixtures) {
    it(`finds ${expected.symptom} in ${name}, and says so`, () => {
      const diagnosis = diagnose(bundle, now)
      assert.deepStrictEqual(
        { symptom: diagnosis.symptom, sentence: { ko: sentenceOf(diagnosis, "ko"), en: sentenceOf(diagnosis, "en") } },
        expected
      )
    })
  }

  it("has a fixture for every symptom of its table, 45 or more", () => {
    const covered = new Set(fixtures.map(([, { expected }]) => expected.symptom))
    assert.deepStrictEqual(symptoms.map(({ id }) => id).filter((id) => !covered.has(id)), [])
    assert.isAtLeast(symptoms.length, 45)
  })

  it("gives every symptom an id of its own and words in both languages", () => {
    assert.strictEqual(new Set(symptoms.map(({ id }) => id)).size, symptoms.length)
    for (const { because, id, next } of symptoms) {
      for (const text of [because.ko, because.en, next.ko, next.en]) assert.match(text, /\S/, id)
    }
  })

  it("keeps the sentence of every symptom whole beside a UUID, unless AWS's own words fill it", () => {
    for (const [name, { bundle }] of fixtures) {
      const diagnosis = diagnose(bundle, now)
      if (diagnosis.quote !== null) continue
      for (const language of ["ko", "en"] as const) assert.notInclude(sentenceOf(diagnosis, language), "…", name)
    }
  })

  it("begins its English sentence as the issue says", () => {
    for (const [, { bundle }] of fixtures) {
      assert.match(sentenceOf(diagnose(bundle, now), "en"), /^Job \S+ is [A-Z]+ because .+; next: .+$/)
    }
  })

  it("never says more than 200 characters or an empty sentence, whatever the evidence", () => {
    fc.assert(
      fc.property(
        fc.record({
          jobId: fc.string({ unit: "binary", maxLength: 300 }),
          status: fc.oneof(fc.constantFrom("RUNNABLE", "FAILED", "STARTING", "SUCCEEDED", "PENDING"), fc.string({ maxLength: 300 })),
          statusReason: fc.string({ unit: "binary", maxLength: 600 }),
          reason: fc.string({ unit: "binary", maxLength: 600 }),
          exitCode: fc.integer(),
          createdAt: fc.double({ noNaN: true, noDefaultInfinity: true })
        }),
        ({ createdAt, exitCode, jobId, reason, status, statusReason }) => {
          const diagnosis = diagnose(
            { describeJobs: { jobs: [{ jobId, status, statusReason, createdAt, container: { reason, exitCode } }] } },
            now
          )
          for (const language of ["ko", "en"] as const) {
            const sentence = sentenceOf(diagnosis, language)
            assert.isAtMost(sentence.length, maxSentenceLength)
            assert.isAbove(sentence.length, 20)
            assert.notMatch(sentence, /[\n\r\u001b]/)
            assert.isTrue(sentence.isWellFormed() || !`${jobId}${status}${statusReason}${reason}`.isWellFormed())
          }
        }
      )
    )
  })

  it("takes any JSON: it is refused as a bundle, or has a diagnosis and a report", async () => {
    const keys = [...Object.keys(Evidence.fields), "jobs", "jobQueues", "computeEnvironments", "status", "container", "attempts"]
    const { json } = fc.letrec((tie) => ({
      json: fc.oneof(
        { depthSize: "medium" },
        fc.constantFrom<unknown>(null, true, 0, "", "FAILED", "RUNNABLE"),
        fc.string(),
        fc.double({ noNaN: true, noDefaultInfinity: true }),
        fc.array(tie("json"), { maxLength: 3 }),
        fc.dictionary(fc.constantFrom(...keys), tie("json"), { maxKeys: 6 })
      )
    }))
    let diagnosed = 0
    await fc.assert(
      fc.asyncProperty(json, async (value) => {
        const decoded = await Effect.runPromise(Effect.result(decodeBundle(JSON.stringify(value))))
        if (decoded._tag === "Success") {
          diagnosed += 1
          assert.match(reportOf(diagnose(decoded.success, now), "en"), /^Job /)
        }
      }),
      { numRuns: 300 }
    )
    assert.isAbove(diagnosed, 0)
  })

  it("tells the kinds of exit 137 apart by their texts", () => {
    const named = (name: string) => diagnose(evidenceOf(name), now)
    const found = ["end-out-of-memory", "end-timeout", "end-host-terminated-137", "exit-137"].map(named)
    assert.deepStrictEqual(found.map(({ symptom }) => symptom), [
      "end.out-of-memory",
      "end.timeout",
      "end.host-terminated",
      "exit.137"
    ])
    assert.deepStrictEqual(found.map(({ retry }) => retry), ["with-more-memory", "no", "yes", "unknown"])
    assert.isTrue(found.every(({ evidence }) => evidence.some(({ field, value }) => field === "container.exitCode" && value === "137")))
  })

  it("waits for what passes, and no longer than it takes to pass", () => {
    const after = (name: string, minutes: number) => {
      const evidence = evidenceOf(name)
      return diagnose({ ...evidence, collectedAt: (evidence.collectedAt ?? 0) + minutes * 60_000 }, now).verdict
    }
    assert.deepStrictEqual([after("runnable-requirement-while-scaling", 3), after("runnable-requirement-while-scaling", 5)], ["wait", "found"])
    assert.deepStrictEqual([after("runnable-scaling", 6), after("runnable-scaling", 8)], ["wait", "found"])
    assert.deepStrictEqual([after("runnable-young", 5), after("runnable-young", 7)], ["wait", "found"])
  })

  it("names what the queue's time limit was waiting for as well", () => {
    assert.include(diagnose(evidenceOf("end-time-limit"), now).also, "runnable.capacity")
  })

  it("names what earlier attempts ended with, which Batch shows nowhere else", () => {
    assert.include(diagnose(evidenceOf("runnable-scaling-next-attempt"), now).also, "end.host-terminated")
  })

  it("names what Batch once said of a job, which a termination has overwritten since", () => {
    const history = [{ runId: "r", status: "RUNNABLE", statusReason: "CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY - none of [c6i.xlarge]", firstSeenAt: 5 }]
    const diagnosis = diagnose({ ...evidenceOf("end-terminated"), history }, now)
    assert.strictEqual(diagnosis.symptom, "end.terminated")
    assert.include(diagnosis.also, "runnable.capacity")
    assert.deepInclude(diagnosis.evidence, {
      field: "history 1970-01-01T00:00:00.005Z",
      value: "RUNNABLE; CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY - none of [c6i.xlarge]"
    })
  })

  it("takes a refused call for what it is, and never for a job that is not there", () => {
    const diagnosis = diagnose(evidenceOf("call-refused"), now)
    assert.strictEqual(diagnosis.symptom, "call.refused")
    assert.strictEqual(exitCodeOf(diagnosis.verdict), 78)
  })

  it("looks at the time of the evidence and, without one, at the time it is given", () => {
    const { collectedAt, ...undated } = evidenceOf("runnable-young")
    assert.strictEqual(diagnose(undated, collectedAt ?? 0).symptom, "runnable.young")
    assert.notStrictEqual(diagnose(undated, now).symptom, "runnable.young")
  })

  it("quotes what a foreign text says without its control characters, and whole in the evidence", () => {
    const diagnosis = diagnose(
      { describeJobs: { jobs: [{ jobId: "j", status: "RUNNABLE", statusReason: "NEW:\u001b[31m reason\nwith a line" }] } },
      now
    )
    assert.strictEqual(diagnosis.symptom, "runnable.unrecognised")
    assert.include(sentenceOf(diagnosis, "en"), "\"NEW: [31m reason with a line\"")
    assert.notInclude(reportOf(diagnosis, "ko"), "\u001b")
  })

  it("quotes names for the shell in the commands that it proposes", () => {
    const { commands } = diagnose({ describeJobs: { jobs: [{ jobId: "a'; rm -rf ~; '", status: "FAILED" }] } }, now)
    assert.include(commands, "aws batch describe-jobs --jobs 'a'\\''; rm -rf ~; '\\'''")
  })

  it("repeats its diagnosis from the bundle that it saved", async () => {
    for (const [, { bundle, expected }] of fixtures) {
      const again = await Effect.runPromise(decodeBundle(encodeBundle(bundle)))
      assert.strictEqual(diagnose(again, now).symptom, expected.symptom)
    }
  })

  it("keeps values of the environment out of a bundle, except for our own ids", () => {
    const environment = [{ name: "DATABASE_URL", value: "postgres://secret" }, { name: "VIDEO_JOB_ID", value: "j1" }]
    const saved = encodeBundle({
      logTail: ["connected to postgres://user:secret@db/lectern"],
      describeJobs: { jobs: [{ container: { environment } }] },
      describeJobDefinitions: { jobDefinitions: [{ containerProperties: { environment } }] }
    })
    assert.notInclude(saved, "secret")
    assert.include(saved, "DATABASE_URL")
    assert.include(saved, "j1")
  })
})
