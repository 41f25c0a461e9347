/** The repository as the rules see it: its workspaces, its modules and its files. */
import { Schema } from "effect"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { extname, join, posix, relative, sep } from "node:path"
import { type Import, type Module, packageOf, parseModule } from "./Module.ts"

/** A workspace. */
export interface Workspace {
  readonly name: string
  /** From the root of the repository, such as `packages/domain`. */
  readonly folder: string
  /** The doors: `.` or `./redis`, and the file behind each. */
  readonly doors: ReadonlyMap<string, string>
}

export interface Repository {
  readonly root: string
  readonly workspaces: ReadonlyArray<Workspace>
  readonly modules: ReadonlyArray<Module>
  /** Every file that is not built, installed or ignored. */
  readonly files: ReadonlyArray<string>
  readonly read: (file: string) => string
  readonly workspaceOf: (file: string) => Workspace | undefined
  /** The file or the workspace's door that an import leads to, when it is one of ours. */
  readonly targetOf: (from: Module, it: Import) => string | undefined
}

const Manifest = Schema.fromJsonString(
  Schema.Struct({
    name: Schema.String,
    exports: Schema.optionalKey(Schema.Record(Schema.String, Schema.NullOr(Schema.String)))
  })
)

const skipped = new Set(["node_modules", ".git", ".turbo", "dist", "coverage", ".lectern", "media"])
const sources = new Set([".ts", ".mts", ".tsx", ".js", ".mjs"])
const workspaceFolders = ["packages", "tools"]

const walk = (root: string, folder: string): ReadonlyArray<string> =>
  readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = folder === "" ? entry.name : `${folder}/${entry.name}`
    if (skipped.has(entry.name)) return []
    return entry.isDirectory() ? walk(root, path) : entry.isFile() ? [path] : []
  })

const readWorkspace = (root: string, folder: string): Workspace => {
  const manifest = Schema.decodeUnknownSync(Manifest)(readFileSync(join(root, folder, "package.json"), "utf8"))
  const doors = new Map<string, string>()
  for (const [door, file] of Object.entries(manifest.exports ?? {})) {
    if (file !== null) doors.set(door, posix.join(folder, file))
  }
  return { name: manifest.name, folder, doors }
}

/** Reads the repository in `root`, a folder with `packages/*`, `tools/*` and `bench`. */
export const readRepository = (root: string): Repository => {
  const files = walk(root, "").map((file) => file.split(sep).join("/"))
  const workspaces = files
    .filter((file) => {
      const parts = file.split("/")
      return parts.at(-1) === "package.json" &&
        ((parts.length === 3 && workspaceFolders.includes(parts[0] ?? "")) || file === "bench/package.json")
    })
    .map((file) => readWorkspace(root, posix.dirname(file)))
  const read = (file: string): string => readFileSync(join(root, file), "utf8")
  const workspaceOf = (file: string): Workspace | undefined =>
    workspaces.find(({ folder }) => file.startsWith(`${folder}/`))
  const modules = files
    .filter((file) => sources.has(extname(file)) && workspaceOf(file) !== undefined)
    .map((file) => parseModule(file, read(file)))
  return {
    root,
    workspaces,
    modules,
    files,
    read,
    workspaceOf,
    targetOf: (from, { specifier }) => {
      if (specifier.startsWith(".")) return posix.join(posix.dirname(from.path), specifier)
      const name = packageOf(specifier)
      const workspace = workspaces.find((it) => it.name === name)
      return workspace?.doors.get(`.${specifier.slice(workspace.name.length)}`)
    }
  }
}

/** Whether the file behind a door exists already. */
export const exists = (repository: Repository, file: string): boolean => existsSync(join(repository.root, file))

/** A path of this machine as it would stand in the repository. */
export const fromRoot = (repository: Repository, path: string): string =>
  relative(repository.root, path).split(sep).join("/")
