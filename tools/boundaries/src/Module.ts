/** A source file as its parser sees it. */
import { parseSync, type Program, Visitor } from "oxc-parser"

/** One import, re-export, dynamic import or `import()` type. */
export interface Import {
  readonly specifier: string
  readonly line: number
  /** Gone when the types are stripped. */
  readonly isType: boolean
  /** The imported names and what they are called here; `*` for the whole module. */
  readonly names: ReadonlyArray<{ readonly imported: string; readonly local: string; readonly isType: boolean }>
}

export interface Module {
  /** From the root of the repository, with `/`. */
  readonly path: string
  readonly program: Program
  readonly imports: ReadonlyArray<Import>
  readonly lineOf: (offset: number) => number
}

/** The npm package or workspace of a specifier: `@a/b` of `@a/b/c`; nothing for relative and built-in ones. */
export const packageOf = (specifier: string): string | undefined =>
  specifier.startsWith(".") || specifier.startsWith("/") || isBuiltin(specifier)
    ? undefined
    : specifier.split("/").slice(0, specifier.startsWith("@") ? 2 : 1).join("/")

/** Only the `node:` form can name a built-in module here; the linter refuses the bare one. */
export const isBuiltin = (specifier: string): boolean => specifier.startsWith("node:")

/** Whether the file is a test, or a fixture of one: it runs nowhere else. */
export const isTest = (path: string): boolean => path.split("/").includes("test")

/** Parses `text`; a file that does not parse is a defect that the type check reports better, so it throws. */
export const parseModule = (path: string, text: string): Module => {
  const parsed = parseSync(path, text)
  const [fault] = parsed.errors
  if (fault !== undefined) throw new Error(`Cannot parse ${path}: ${fault.message}`)
  const lineOf = (offset: number): number => text.slice(0, offset).split("\n").length
  const imports: Array<Import> = []
  for (const it of parsed.module.staticImports) {
    imports.push({
      specifier: it.moduleRequest.value,
      line: lineOf(it.start),
      isType: it.entries.length > 0 && it.entries.every((entry) => entry.isType),
      names: it.entries.map((entry) => ({
        // A default import has no name either: it counts as the whole module, which is the stricter reading.
        imported: entry.importName.name ?? "*",
        local: entry.localName.value,
        isType: entry.isType
      }))
    })
  }
  // The parser also follows `export { a }` to the import of `a`, which stands in the list already.
  const reexports = new Set(
    parsed.program.body
      .filter((node) => node.type === "ExportAllDeclaration" || (node.type === "ExportNamedDeclaration" && node.source !== null))
      .map((node) => node.start)
  )
  for (const { entries, start } of parsed.module.staticExports) {
    if (!reexports.has(start)) continue
    for (const entry of entries) {
      if (entry.moduleRequest === null) continue
      imports.push({
        specifier: entry.moduleRequest.value,
        line: lineOf(entry.start),
        isType: entry.isType,
        names: [{ imported: entry.importName.name ?? "*", local: "", isType: entry.isType }]
      })
    }
  }
  new Visitor({
    ImportExpression(node) {
      if (node.source.type !== "Literal" || typeof node.source.value !== "string") return
      imports.push({
        specifier: node.source.value,
        line: lineOf(node.start),
        isType: false,
        names: [{ imported: "*", local: "", isType: false }]
      })
    },
    TSImportType(node) {
      imports.push({ specifier: node.source.value, line: lineOf(node.start), isType: true, names: [] })
    }
  }).visit(parsed.program)
  return { path, program: parsed.program, imports, lineOf }
}
