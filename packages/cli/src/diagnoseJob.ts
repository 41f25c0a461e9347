import { fileFault } from "@lectern/domain"
import {
  BatchEvidence,
  decodeBundle,
  diagnose,
  diagnosisJson,
  encodeBundle,
  exitCodeOf,
  expectedNames,
  isEmpty,
  type Language,
  reportOf
} from "@lectern/worker-video/doctor"
import { Clock, Console, Effect, FileSystem, Option } from "effect"
import { batchEvidence } from "./batchEvidence.ts"
import { CommandFailed, exitCodes, fail } from "./CommandFailed.ts"
import { withHistory } from "./withHistory.ts"

export interface DoctorRequest {
  readonly job: Option.Option<string>
  readonly bundle: Option.Option<string>
  readonly save: Option.Option<string>
  readonly lang: Language
  readonly json: boolean
}

const readBundle = Effect.fnUntraced(function*(file: string) {
  const fs = yield* FileSystem.FileSystem
  const text = yield* fs.readFileString(file).pipe(
    Effect.catchTag("PlatformError", (error) => fail(exitCodes.badInput, `Cannot read the bundle "${file}": ${fileFault(error)}`))
  )
  const evidence = yield* decodeBundle(text).pipe(
    Effect.catchTag("SchemaError", (error) => fail(exitCodes.badInput, `Cannot read "${file}" as a bundle: ${error.message}`))
  )
  if (isEmpty(evidence)) {
    return yield* fail(exitCodes.badInput, `Cannot diagnose from "${file}": it holds neither describeJobs nor missing`)
  }
  return evidence
})

const look = (job: string) =>
  Effect.flatMap(BatchEvidence, (batch) => batch.ofJob(job, expectedNames(process.env))).pipe(
    Effect.provide(batchEvidence(process.env)),
    Effect.flatMap((evidence) => withHistory(evidence, job, process.env))
  )

/** Diagnoses a job, live or from a bundle; prints the report and ends with what `exitCodeOf` says of it. */
export const diagnoseJob = Effect.fn(function*({ bundle, job, json, lang, save }: DoctorRequest) {
  if (Option.isSome(job) === Option.isSome(bundle)) {
    const given = Option.isSome(job) ? "from both" : "from neither"
    return yield* fail(exitCodes.badInput, `Cannot diagnose ${given}: give a JOB, or --bundle FILE`)
  }
  const evidence = Option.isSome(bundle)
    ? yield* readBundle(bundle.value)
    : yield* look(Option.getOrElse(job, () => ""))
  if (Option.isSome(save)) {
    const fs = yield* FileSystem.FileSystem
    yield* fs.writeFileString(save.value, encodeBundle(evidence), { mode: 0o600 }).pipe(
      Effect.catchTag("PlatformError", (error) => fail(exitCodes.unavailable, `Cannot save to "${save.value}": ${fileFault(error)}`))
    )
  }
  const diagnosis = diagnose(evidence, yield* Clock.currentTimeMillis, expectedNames(process.env))
  yield* Console.log(json ? JSON.stringify(diagnosisJson(diagnosis), null, 2) : reportOf(diagnosis, lang))
  const exitCode = exitCodeOf(diagnosis.verdict)
  if (exitCode !== 0) return yield* new CommandFailed({ exitCode })
})
