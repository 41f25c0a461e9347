/**
 * The base of our images: the official one of Node where a registry answers, else a stand-in made of Debian's own
 * packages and this very Node. The Dockerfiles take either.
 */
import { spawnSync } from "node:child_process"
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { askEngine, type Engine, EngineFailed, hasImage, runEngine } from "./Engine.ts"

/** Debian 12: the release whose ffmpeg the encoder's tests know. */
const suite = "bookworm"
const official = `docker.io/library/node:24-${suite}-slim`
/** With the version, so that a newer Node makes a newer stand-in. */
const standIn = `localhost/node:${process.versions.node}-${suite}-slim`

/** How long a registry may take for the whole image, in milliseconds. */
const pullLimit = 180_000

export interface BaseOptions {
  /** An image to take as it is, whatever else there would be. */
  readonly named: string | undefined
  /** Where it is made. */
  readonly folder: string
  /** The version of npm that goes into the stand-in. */
  readonly npm: string
  /** Sees to it that mmdebstrap is on the machine; whether it is. */
  readonly setUp: () => boolean
  readonly say: (line: string) => void
}

/** Returns the name of the base, which is then in the engine's storage. */
export const readyBase = (engine: Engine, options: BaseOptions): string => {
  const { named, say } = options
  if (named !== undefined) return named
  const found = [official, standIn].find((image) => hasImage(engine, image))
  if (found !== undefined) {
    say(`The base ${found} is there already`)
    return found
  }
  say(`Pulling ${official}`)
  const pulled = spawnSync(engine.command, [...engine.options, "pull", "--quiet", official], {
    stdio: ["ignore", "ignore", "pipe"],
    encoding: "utf8",
    timeout: pullLimit
  })
  if (pulled.status === 0) return official
  say(`No registry: ${(pulled.stderr ?? "").trim().split("\n").at(-1)?.slice(-120) ?? "no answer"}`)
  say(`Making ${standIn} of Debian's packages and this Node; about half a minute`)
  makeStandIn(engine, options)
  return standIn
}

const run = (command: string, args: ReadonlyArray<string>, cwd: string): void => {
  const { error, status } = spawnSync(command, args, { cwd, stdio: ["ignore", "inherit", "inherit"] })
  if (status === 0) return
  throw new EngineFailed(`Cannot make the base: ${command} ended with ${error?.message ?? `exit code ${status}`}`)
}

/** This machine's own sources of packages, turned to the release that is wanted. */
const packageSources = (): ReadonlyArray<string> => {
  const here = /^VERSION_CODENAME=(\w+)/m.exec(readFileSync("/etc/os-release", "utf8"))?.[1]
  if (here === undefined) throw new EngineFailed("Cannot make the base: this machine is no Debian with package sources")
  const folder = "/etc/apt/sources.list.d"
  const parts = existsSync(folder) ? readdirSync(folder).filter((it) => /\.(?:list|sources)$/.test(it)) : []
  const files = ["/etc/apt/sources.list", ...parts.map((it) => join(folder, it))]
  return files.filter((file) => existsSync(file)).map((file) => readFileSync(file, "utf8").replaceAll(here, suite))
}

const makeStandIn = (engine: Engine, { folder, npm, setUp }: BaseOptions): void => {
  if (!setUp()) throw new EngineFailed("Cannot make the base: mmdebstrap is needed for it, and root")
  mkdirSync(folder, { recursive: true })
  const work = mkdtempSync(join(folder, "base-"))
  try {
    const sources = packageSources().map((text, index) => {
      const file = join(work, `${index}.${/^URIs:/m.test(text) ? "sources" : "list"}`)
      writeFileSync(file, text)
      return file
    })
    run("npm", ["pack", "--silent", `npm@${npm}`], work)
    run("tar", ["xzf", `npm-${npm}.tgz`], work)
    const tarball = join(work, "base.tar")
    const modules = "/usr/local/lib/node_modules"
    run("mmdebstrap", [
      "--quiet",
      "--variant=minbase",
      "--include=ca-certificates",
      `--aptopt=APT::Install-Recommends "false"`,
      // As in Debian's own slim images.
      ...["man", "doc", "locale", "info", "lintian"].map((it) => `--dpkgopt=path-exclude=/usr/share/${it}/*`),
      `--customize-hook=install -D -m755 ${process.execPath} "$1"/usr/local/bin/node`,
      `--customize-hook=mkdir -p "$1"${modules} && cp -r ${work}/package "$1"${modules}/npm`,
      `--customize-hook=ln -s ../lib/node_modules/npm/bin/npm-cli.js "$1"/usr/local/bin/npm`,
      `--customize-hook=rm -rf "$1"/var/lib/apt/lists/* "$1"/etc/resolv.conf`,
      suite,
      tarball,
      ...sources
    ], work)
    if (askEngine(engine, ["import", tarball, standIn]) === undefined) {
      throw new EngineFailed(`Cannot import ${standIn}`)
    }
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

/** Removes the stand-in and everything else of a storage that is ours alone. */
export const removeStorage = (engine: Engine, folder: string): void => {
  if (!engine.isOurs) return
  runEngine(engine, ["rmi", "--all", "--force"])
  rmSync(folder, { recursive: true, force: true })
}
