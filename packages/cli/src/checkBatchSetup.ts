import { fileFault } from "@lectern/domain"
import {
  BatchEvidence,
  decodeSetup,
  type Evidence,
  expectedNames,
  isEmptySetup,
  lintSetup,
  setupOf
} from "@lectern/worker-video/doctor"
import { Console, Effect, FileSystem, Option, Schema } from "effect"
import { batchEvidence } from "./batchEvidence.ts"
import { CommandFailed, exitCodes, fail } from "./CommandFailed.ts"
import { findingText } from "./findingText.ts"

export interface LintRequest {
  readonly files: ReadonlyArray<string>
  readonly live: boolean
  readonly json: boolean
}

/** How the command ends when a rule is broken. */
const foundSomething = 1

const holdsNothing = "it holds no job definition, queue, environment or log group"

const decodeTemplate = Schema.decodeUnknownOption(
  Schema.fromJsonString(Schema.Struct({ Resources: Schema.Record(Schema.String, Schema.Unknown) }))
)

/** Whether a text is a template of CloudFormation. */
const isTemplate = (text: string): boolean => Option.isSome(decodeTemplate(text))

const readSetup = Effect.fnUntraced(function*(file: string) {
  const fs = yield* FileSystem.FileSystem
  const text = yield* fs.readFileString(file).pipe(
    Effect.catchTag("PlatformError", (error) => fail(exitCodes.badInput, `Cannot read "${file}": ${fileFault(error)}`))
  )
  const evidence = yield* decodeSetup(text).pipe(
    Effect.catchTag("SchemaError", (error) => fail(exitCodes.badInput, `Cannot read "${file}" as a setup: ${error.message}`))
  )
  // A file that is passed over would make the others look sound.
  const isOnlyAround = evidence.describeLogGroups != null || evidence.launchTemplates != null || evidence.images != null
  if (!isEmptySetup(setupOf([evidence])) || isOnlyAround) return evidence
  // The other templates of a deployment lie beside those of Batch, and are given along with them.
  if (!isTemplate(text)) return yield* fail(exitCodes.badInput, `Cannot check "${file}": ${holdsNothing}`)
  yield* Console.error(`lectern: Nothing to check in "${file}": ${holdsNothing}`)
  return null
})

const readSetups = Effect.fnUntraced(function*(files: ReadonlyArray<string>) {
  const setups = (yield* Effect.forEach(files, readSetup)).filter((setup) => setup !== null)
  return setups.length === 0
    ? yield* fail(exitCodes.badInput, "Cannot check: no file holds anything of Batch")
    : setups
})

/** What is deployed, or the command's end where a part of it could not be seen: half a look finds no faults in the other half. */
const deployed = Effect.gen(function*() {
  const batch = yield* BatchEvidence
  const evidence = yield* batch.ofSetup(expectedNames(process.env))
  const [missing] = evidence.missing ?? []
  return missing === undefined
    ? evidence
    : yield* fail(
      missing.kind === "unreachable" ? exitCodes.unavailable : exitCodes.configuration,
      `Cannot see what is deployed: ${missing.call} had no answer (${missing.fault}: ${missing.message})`
    )
}).pipe(Effect.provide(batchEvidence(process.env)))

/** Checks a setup in files or as it is deployed, and prints what it finds. */
export const checkBatchSetup = Effect.fn(function*({ files, json, live }: LintRequest) {
  if (live === files.length > 0) {
    const given = live ? "files and what is deployed at once" : "nothing"
    return yield* fail(exitCodes.badInput, `Cannot check ${given}: give FILE..., or --live`)
  }
  const parts: ReadonlyArray<Evidence> = live ? [yield* deployed] : yield* readSetups(files)
  const findings = lintSetup(setupOf(parts, live), expectedNames(process.env))
  yield* Console.log(
    json
      ? JSON.stringify({ findings }, null, 2)
      : findings.length === 0
      ? "No findings"
      : `${findings.map(findingText).join("\n")}\n${findings.length} ${findings.length === 1 ? "finding" : "findings"}`
  )
  if (findings.length > 0) return yield* new CommandFailed({ exitCode: foundSomething })
})
