import { fileFault } from "@lectern/domain"
import { templates } from "@lectern/infra"
import { decodeSetup, type Finding, lintSetup, setupOf } from "@lectern/worker-video/doctor"
import { Console, Effect, FileSystem, Path, type PlatformError } from "effect"
import { CommandFailed, exitCodes, fail } from "./CommandFailed.ts"
import { findingText } from "./findingText.ts"

export interface SynthRequest {
  readonly out: string
  readonly json: boolean
}

/** How the command ends when a template breaks a rule: nobody should deploy it. */
const foundSomething = 1

const cannotWrite = (out: string) => (error: PlatformError.PlatformError) =>
  fail(exitCodes.unavailable, `Cannot write the templates to "${out}": ${fileFault(error)}`)

/** Writes the templates, and holds them against the lint of what is deployed. */
export const synthesiseInfra = Effect.fn(function*({ json, out }: SynthRequest) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const made = yield* templates.pipe(Effect.catchTag("PlatformError", cannotWrite(out)))
  const written = yield* Effect.forEach(made, ({ body, name }) => {
    const file = path.join(out, `${name}.template.json`)
    const text = `${JSON.stringify(body, null, 2)}\n`
    return Effect.as(fs.writeFileString(file, text), { file, text })
  }).pipe(
    (writing) => Effect.andThen(fs.makeDirectory(out, { recursive: true }), writing),
    Effect.catchTag("PlatformError", cannotWrite(out))
  )
  const setups = yield* Effect.forEach(written, ({ text }) => Effect.orDie(decodeSetup(text)))
  const findings: ReadonlyArray<Finding> = lintSetup(setupOf(setups))
  const files = written.map(({ file }) => file)
  yield* Console.log(
    json
      ? JSON.stringify({ files, findings }, null, 2)
      : [...files, ...findings.map(findingText), ...(findings.length === 0 ? [] : [`${findings.length} findings`])].join("\n")
  )
  if (findings.length > 0) return yield* new CommandFailed({ exitCode: foundSomething })
})
