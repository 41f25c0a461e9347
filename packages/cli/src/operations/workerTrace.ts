import { Option, Schema } from "effect"

/** What a traced run of the worker says at its end. */
export const WorkerTrace = Schema.Struct({
  node: Schema.String,
  /** The address of every module that was loaded. */
  modules: Schema.Array(Schema.String),
  /** `null`: it could write where it works; else the code of what kept it. */
  work: Schema.NullOr(Schema.String)
})
export type WorkerTrace = typeof WorkerTrace.Type

const mark = "lectern-readiness "

/**
 * Loaded before the worker's program, in whatever place it runs: hooks of Node's own module loader see each module that is
 * loaded, by import or by require.
 */
const source = `import { registerHooks } from "node:module"
import { mkdtempSync, rmdirSync, writeSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
const modules = new Set()
registerHooks({ load(url, context, next) { modules.add(url); return next(url, context) } })
process.on("exit", () => {
  let work = null
  try { rmdirSync(mkdtempSync(join(process.env.LECTERN_WORK_DIR || tmpdir(), "readiness-"))) }
  catch (error) { work = error.code ?? String(error) }
  const bytes = Buffer.from("\\n${mark}" + JSON.stringify({ node: process.versions.node, modules: [...modules], work }) + "\\n")
  for (let at = 0; at < bytes.length;) {
    try { at += writeSync(2, bytes, at) }
    catch (error) { if (error.code !== "EAGAIN") throw error }
  }
})
`

/** An option of Node; it fits into `NODE_OPTIONS`. */
export const traceOption = `--import=data:text/javascript;base64,${btoa(source)}`

const decode = Schema.decodeUnknownOption(Schema.fromJsonString(WorkerTrace))

/** The trace among what a run wrote to standard error; `null` where there is none. */
export const readTrace = (stderr: string): WorkerTrace | null => {
  const line = stderr.split("\n").find((text) => text.startsWith(mark))
  return line === undefined ? null : Option.getOrNull(decode(line.slice(mark.length)))
}

/** Packages that the worker's machine has no business with. */
const foreign = /\/(?:packages|@lectern)\/(?:api|worker-ai|cli)\//

export const foreignModules = (trace: WorkerTrace): ReadonlyArray<string> => trace.modules.filter((url) => foreign.test(url))
