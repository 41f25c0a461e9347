/** What of the machine's programs the harness can use. Looked up once, when the module is loaded. */
import { accessSync, constants, readdirSync, realpathSync } from "node:fs"
import { delimiter, dirname, join } from "node:path"
import type { Availability } from "./NotRun.ts"

const isExecutable = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** Debian keeps the server's programs out of the PATH, in one folder per major version. */
const debianPostgresFolders = (): ReadonlyArray<string> => {
  const root = "/usr/lib/postgresql"
  try {
    return readdirSync(root).sort((a, b) => Number(b) - Number(a)).map((version) => join(root, version, "bin"))
  } catch {
    return []
  }
}

/** The first folder, of the PATH and then of `more`, that holds every one of `programs`. */
const folderOf = (programs: ReadonlyArray<string>, more: ReadonlyArray<string> = []): string | undefined =>
  [...(process.env["PATH"] ?? "").split(delimiter), ...more].find((folder) =>
    folder !== "" && programs.every((program) => isExecutable(join(folder, program)))
  )

const availability = (folder: string | undefined, reason: string): Availability =>
  folder === undefined ? { available: false, reason } : { available: true }

const postgresInPath = folderOf(["initdb", "postgres"], debianPostgresFolders())

/** The folder of a Postgres server's programs, and of `pg_config`: what a PATH names may be links to it. */
export const postgresFolder = postgresInPath === undefined
  ? undefined
  : dirname(realpathSync(join(postgresInPath, "postgres")))

/** The folder of the Redis server. */
export const redisFolder = folderOf(["redis-server"])

/** The folder of Chromium. */
export const chromiumFolder = folderOf(["chromium"])

export const postgresAvailability = availability(postgresFolder, "no Postgres server (initdb, postgres) found")

export const redisAvailability = availability(redisFolder, "no redis-server found")

export const chromiumAvailability = availability(chromiumFolder, "no chromium found")
