/** What a front door drags in, as the bundler finds it: every module of ours behind it, and every import that leaves us. */
import { build, type Metafile, type Plugin } from "esbuild"
import { join } from "node:path"
import { isBuiltin, packageOf } from "./Module.ts"
import { fromRoot, type Repository } from "./Repository.ts"

/** What keeps a door from being bundled, such as an import that leads nowhere. */
export interface Fault {
  readonly file: string
  readonly line: number
  readonly text: string
}

export interface DoorGraph {
  /** Our own modules behind the door, from the root of the repository. */
  readonly own: ReadonlyArray<string>
  /** The specifiers that leave our modules, each with one that imports it: npm packages and built-in modules. */
  readonly outside: ReadonlyMap<string, string>
  /** Not empty when the graph could not be read; then it is not known what is behind the door. */
  readonly faults: ReadonlyArray<Fault>
}

/** Follows imports between workspaces and leaves every other package outside. */
const followWorkspaces = (repository: Repository): Plugin => ({
  name: "follow workspaces",
  setup: (build) => {
    build.onResolve({ filter: /^[^./]/ }, ({ kind, path }) => {
      if (kind === "entry-point") return undefined
      const name = packageOf(path)
      const workspace = repository.workspaces.find((it) => it.name === name)
      const file = workspace?.doors.get(`.${path.slice(workspace.name.length)}`)
      return file === undefined ? { path, external: true } : { path: join(repository.root, file) }
    })
  }
})

const graphOf = (repository: Repository, { inputs }: Metafile): DoorGraph => {
  const outside = new Map<string, string>()
  const own = Object.keys(inputs).map((input) => fromRoot(repository, join(repository.root, input)))
  for (const [input, { imports }] of Object.entries(inputs)) {
    for (const it of imports) if (it.external === true) outside.set(it.path, fromRoot(repository, join(repository.root, input)))
  }
  return { own, outside, faults: [] }
}

/** Reads the graph behind the file of a door. Imports of types alone are not in it: they are gone when it runs. */
export const readDoorGraph = async (repository: Repository, entry: string): Promise<DoorGraph> => {
  try {
    const { metafile } = await build({
      entryPoints: [join(repository.root, entry)],
      absWorkingDir: repository.root,
      bundle: true,
      format: "esm",
      platform: "neutral",
      treeShaking: false,
      write: false,
      metafile: true,
      logLevel: "silent",
      plugins: [followWorkspaces(repository)]
    })
    return graphOf(repository, metafile)
  } catch (cause) {
    return { own: [], outside: new Map(), faults: faultsOf(cause, entry) }
  }
}

/**
 * Bundles a door for a browser with everything in it, and returns the faults: what a browser cannot have does not resolve.
 * `inputs` are the modules of the bundle, installed ones with their whole path.
 */
export const bundleForBrowser = async (
  repository: Repository,
  entry: string
): Promise<{ readonly faults: ReadonlyArray<Fault>; readonly inputs: ReadonlyArray<string> }> => {
  try {
    const { metafile } = await build({
      entryPoints: [join(repository.root, entry)],
      absWorkingDir: repository.root,
      bundle: true,
      format: "esm",
      platform: "browser",
      write: false,
      metafile: true,
      logLevel: "silent"
    })
    return { faults: [], inputs: Object.keys(metafile.inputs) }
  } catch (cause) {
    return { faults: faultsOf(cause, entry), inputs: [] }
  }
}

interface BuildFailure {
  readonly errors: ReadonlyArray<{ readonly text: string; readonly location: { readonly file: string; readonly line: number } | null }>
}

const isBuildFailure = (cause: unknown): cause is BuildFailure =>
  cause instanceof Error && "errors" in cause && Array.isArray(cause.errors)

/** The bundler's findings; whatever else was thrown is thrown again. */
const faultsOf = (cause: unknown, entry: string): ReadonlyArray<Fault> => {
  if (!isBuildFailure(cause)) throw cause
  return cause.errors.map(({ location, text }) => ({ file: location?.file ?? entry, line: location?.line ?? 0, text }))
}

/** The packages among the specifiers that leave a graph. */
export const packagesOf = ({ outside }: DoorGraph): ReadonlyMap<string, string> =>
  new Map([...outside].flatMap(([specifier, by]) => {
    const name = packageOf(specifier)
    return name === undefined ? [] : [[name, by] as const]
  }))

/** The built-in modules of Node among them. */
export const builtinsOf = ({ outside }: DoorGraph): ReadonlyMap<string, string> =>
  new Map([...outside].filter(([specifier]) => isBuiltin(specifier)))
