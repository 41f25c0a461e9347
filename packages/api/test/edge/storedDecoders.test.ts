/** The decoders of the edge are written by hand; here each is held against the Schema that says the same. */
import { VideoStatus as WireVideoStatus, WireJobStatus } from "@lectern/domain"
import { Effect, Option, Schema } from "effect"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { decodeJobStatus } from "../../src/edge/StoredJobStatus.ts"
import { belongsTo, decodeProgress } from "../../src/edge/StoredProgressValue.ts"
import { decodeVideoStatus } from "../../src/edge/StoredVideoStatus.ts"

/** A field of the wrong type, or none at all, counts as null. */
const lenient = <S extends Schema.Codec<unknown, unknown>>(schema: S) =>
  Schema.NullOr(schema).pipe(
    Schema.catchDecoding(() => Effect.succeedSome(null)),
    Schema.withDecodingDefaultKey(Effect.succeed(null))
  )

const Percent = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 100 }))
const Version = { revision: lenient(Schema.Int), attempt: lenient(Schema.Int) }

const VideoStatus = Schema.fromJsonString(Schema.Struct({
  status: WireVideoStatus,
  hls_path: lenient(Schema.String),
  duration: lenient(Schema.Int),
  error_reason: lenient(Schema.String),
  updated_at: lenient(Schema.Int),
  ...Version
}))

const JobStatus = Schema.fromJsonString(Schema.Struct({
  status: WireJobStatus,
  job_type: lenient(Schema.String),
  error_message: lenient(Schema.String),
  result: lenient(Schema.Record(Schema.String, Schema.Unknown)),
  updated_at: lenient(Schema.Int),
  ...Version
}))

const Progress = Schema.fromJsonString(Schema.Struct({
  percent: Percent,
  step: lenient(Schema.String),
  remaining_seconds: lenient(Schema.Int),
  step_index: lenient(Schema.Int),
  step_total: lenient(Schema.Int),
  step_name: lenient(Schema.String),
  step_name_display: lenient(Schema.String),
  step_percent: lenient(Percent),
  tick: lenient(Schema.Int),
  as_of: lenient(Schema.Int),
  ...Version
}))

const versionOf = ({ attempt, revision }: { readonly attempt: number | null; readonly revision: number | null }) =>
  revision === null || attempt === null ? null : { revision, attempt }

const bySchema = {
  video: (text: string) =>
    Option.getOrNull(Option.map(Schema.decodeUnknownOption(VideoStatus)(text), (value) => ({
      status: value.status,
      hlsPath: value.hls_path,
      duration: value.duration,
      errorReason: value.error_reason,
      updatedAt: value.updated_at,
      version: versionOf(value)
    }))),
  job: (text: string) =>
    Option.getOrNull(Option.map(Schema.decodeUnknownOption(JobStatus)(text), (value) => ({
      status: value.status,
      jobType: value.job_type,
      errorMessage: value.error_message,
      result: value.result,
      updatedAt: value.updated_at,
      version: versionOf(value)
    }))),
  progress: (text: string) =>
    Option.getOrNull(Option.map(Schema.decodeUnknownOption(Progress)(text), (value) => {
      const { step_index: index, step_name: name, step_name_display: display, step_percent: percent, step_total: total } = value
      return {
        percent: value.percent,
        step: value.step,
        remainingSeconds: value.remaining_seconds,
        drawn: index === null || name === null || display === null || percent === null || total === null
          ? null
          : { index, total, name, display, percent },
        tick: value.tick,
        asOf: value.as_of,
        version: versionOf(value)
      }
    }))
}

const anything = fc.oneof(
  fc.jsonValue(),
  fc.integer({ min: -5, max: 120 }),
  fc.constantFrom(1.5, 2 ** 53, -(2 ** 53), 1e300, -0, "50", "", null, true)
)
const often = <A>(right: fc.Arbitrary<A>) => fc.oneof({ weight: 5, arbitrary: right }, { weight: 2, arbitrary: anything })

const version = { revision: often(fc.nat()), attempt: often(fc.nat(9)) }
const texts = (fields: Record<string, fc.Arbitrary<unknown>>) =>
  fc.oneof(
    { weight: 8, arbitrary: fc.record(fields, { requiredKeys: [] }).map((value) => JSON.stringify(value)) },
    { weight: 1, arbitrary: fc.json() },
    { weight: 1, arbitrary: fc.string({ unit: "binary" }) }
  )

const videoTexts = texts({
  status: often(fc.constantFrom(...WireVideoStatus.literals, "DONE", "ready", "__proto__")),
  hls_path: often(fc.string()),
  duration: often(fc.nat()),
  error_reason: often(fc.string()),
  updated_at: often(fc.nat()),
  ...version
})
const jobTexts = texts({
  status: often(fc.constantFrom(...WireJobStatus.literals, "CANCELLED", "READY", "toString")),
  job_type: often(fc.string()),
  error_message: often(fc.string()),
  updated_at: often(fc.nat()),
  result: often(fc.dictionary(fc.string(), fc.jsonValue())),
  ...version
})
const progressTexts = texts({
  percent: often(fc.integer({ min: 0, max: 100 })),
  step: often(fc.string()),
  remaining_seconds: often(fc.nat()),
  step_index: often(fc.nat(9)),
  step_total: often(fc.nat(9)),
  step_name: often(fc.string()),
  step_name_display: often(fc.string()),
  step_percent: often(fc.integer({ min: 0, max: 100 })),
  tick: often(fc.nat()),
  as_of: often(fc.nat()),
  ...version
})

describe("What stands in Redis is read as its Schema reads it", () => {
  for (
    const [name, arbitrary, byHand, schema] of [
      ["a video's status", videoTexts, decodeVideoStatus, bySchema.video],
      ["a job's status", jobTexts, decodeJobStatus, bySchema.job],
      ["a progress", progressTexts, decodeProgress, bySchema.progress]
    ] as const
  ) {
    it(name, () => {
      let understood = 0
      fc.assert(
        fc.property(arbitrary, (text) => {
          const value = byHand(text)
          if (value !== null) understood += 1
          expect(value).toEqual(schema(text))
        }),
        { numRuns: 3_000 }
      )
      // The property says nothing if nothing is ever understood.
      expect(understood).toBeGreaterThan(300)
    })
  }

  it("and nothing is nothing", () => {
    expect([decodeVideoStatus(null), decodeJobStatus(null), decodeProgress(null)]).toEqual([null, null, null])
  })
})

describe("A progress beside a status", () => {
  const at = (revision: number, attempt: number) => ({ revision, attempt })
  it("is shown when it is of the same transition or of a later one, and never when it is of an earlier one", () => {
    expect(belongsTo(at(5, 2), at(5, 2))).toBe(true)
    expect(belongsTo(at(6, 1), at(5, 2))).toBe(true)
    expect(belongsTo(at(4, 9), at(5, 2))).toBe(false)
    expect(belongsTo(at(5, 1), at(5, 2))).toBe(false)
  })
  it("of a writer that keeps no versions is shown beside a status of such a writer only", () => {
    expect(belongsTo(null, null)).toBe(true)
    expect(belongsTo(null, at(1, 1))).toBe(false)
    expect(belongsTo(at(1, 1), null)).toBe(true)
  })
})
