import { documentedVariables, undocumentedVariables } from "@lectern/harness"
import { readWorkerSettings } from "@lectern/worker-ai"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { existsSync, globSync } from "node:fs"
import { readFile } from "node:fs/promises"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { exitCodes } from "../src/CommandFailed.ts"
import { readSystemEnvironment } from "../src/serveSystem.ts"
import { lectern } from "./lecternProgram.ts"

type Variables = Readonly<Record<string, string | undefined>>

const root = fileURLToPath(new URL("../../..", import.meta.url))

const textOf = (file: string): Promise<string> => readFile(join(root, file), "utf8")

const sectionOf = (text: string, title: string): string => {
  const [, section = ""] = text.split(new RegExp(`^#+ ${title}$`, "m"))
  return section.split(/^#+ /m)[0] ?? ""
}

const matchesOf = (text: string, pattern: RegExp): ReadonlyArray<string> =>
  [...new Set(Array.from(text.matchAll(pattern), ([, found = ""]) => found))].sort()

/** What stands in backticks in the first column of the tables of a text. */
const namesInTables = (text: string): ReadonlyArray<string> =>
  matchesOf(matchesOf(text, /^\| (`[^|]+)\|/gm).join("\n"), /`([^`]+)`/g)

const Manifest = Schema.Struct({
  scripts: Schema.optionalKey(Schema.Record(Schema.String, Schema.String)),
  dependencies: Schema.optionalKey(Schema.Record(Schema.String, Schema.String)),
  devDependencies: Schema.optionalKey(Schema.Record(Schema.String, Schema.String))
})
const decodeManifest = Schema.decodeUnknownSync(Schema.fromJsonString(Manifest))

const filesOf = (...patterns: ReadonlyArray<string>): ReadonlyArray<string> => globSync([...patterns], { cwd: root })

const manifests = () =>
  Promise.all(
    filesOf("package.json", "{packages,tools}/*/package.json", "bench/package.json")
      .map(async (file) => decodeManifest(await textOf(file)))
  )

describe("docs/configuration.md", () => {
  it("has every variable that `lectern up` asks for", async () => {
    const read = (variables: Variables) => Effect.runSyncExit(readSystemEnvironment(variables))
    assert.deepStrictEqual(await undocumentedVariables(read), [])
  })

  it("has every variable that `lectern worker` asks for", async () => {
    const read = (variables: Variables) => Effect.runSyncExit(readWorkerSettings(variables))
    assert.deepStrictEqual(await undocumentedVariables(read), [])
  })

  it("has no variable that the sources do not name", async () => {
    const sources = (await Promise.all(filesOf("packages/*/src/**/*.ts").map(textOf))).join("\n")
    const documented = await documentedVariables()
    assert.isAbove(documented.length, 50)
    assert.deepStrictEqual(documented.filter((name) => !new RegExp(`\\b${name}\\b`).test(sources)), [])
  })

  it("has every variable that README.md names", async () => {
    const known = await documentedVariables()
    const named = matchesOf(await textOf("README.md"), /`([A-Z][A-Z0-9]*_[A-Z0-9_]+)\b/g)
    assert.isAbove(named.length, 20)
    assert.deepStrictEqual(named.filter((name) => !known.includes(name)), [])
  })
})

describe("README.md", () => {
  it("shows every command of lectern, and none that is not there", async () => {
    const commands = matchesOf((await lectern(["--help"])).stdout.split("SUBCOMMANDS")[1] ?? "", /^ {2}([a-z-]+)/gm)
    const use = sectionOf(await textOf("README.md"), "Use")
    // The demo has a script of its own, in the first lines.
    const shown = [...matchesOf(use, /npx lectern ([a-z-]+)/g), "demo"]
    assert.sameMembers(shown, [...commands])
  })

  it("shows scripts that are there", async () => {
    const scripts = new Set((await manifests()).flatMap(({ scripts }) => Object.keys(scripts ?? {})))
    const shown = matchesOf(await textOf("README.md"), /npm run ([a-z:]+)/g)
    assert.isAbove(shown.length, 5)
    assert.deepStrictEqual(shown.filter((script) => !scripts.has(script)), [])
  })

  it("says every exit code", async () => {
    const text = await textOf("README.md")
    const sentence = text.slice(text.indexOf("Exit codes:"), text.indexOf("for signals"))
    for (const code of Object.values(exitCodes)) assert.match(sentence, new RegExp(`\\b${code} `))
  })

  it("gives a reason for every dependency, and names none that is not there", async () => {
    const used = new Set((await manifests()).flatMap(({ dependencies, devDependencies }) => [
      ...Object.keys(dependencies ?? {}),
      ...Object.keys(devDependencies ?? {})
    ]))
    const own = [...used].filter((name) => !name.startsWith("@lectern/") && !name.startsWith("@types/"))
    assert.deepStrictEqual(namesInTables(sectionOf(await textOf("README.md"), "Dependencies")), own.sort())
  })
})

describe("the documents", () => {
  it("link to what is there", async () => {
    const documents = filesOf("README.md", "docs/**/*.md")
    assert.isAbove(documents.length, 15)
    const broken = await Promise.all(documents.map(async (document) => {
      const targets = matchesOf(await textOf(document), /\]\((?!https?:)([^)#\s]+)/g)
      return targets.filter((target) => !existsSync(join(root, dirname(document), target)))
        .map((target) => `${document}: ${target}`)
    }))
    assert.deepStrictEqual(broken.flat(), [])
  })
})
