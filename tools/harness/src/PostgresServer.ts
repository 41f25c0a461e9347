import { Context, Effect, Layer, type Scope } from "effect"
import { execFileSync, spawn } from "node:child_process"
import { existsSync } from "node:fs"
import { join } from "node:path"
import { Client } from "pg"
import { postgresAvailability, postgresFolder } from "./Availability.ts"
import { HarnessError } from "./HarnessError.ts"
import { freePort } from "./ports.ts"
import { type ServerProcess, startServer } from "./ServerProcess.ts"
import { type Owner, temporaryFolder } from "./TemporaryFolder.ts"

/** Postgres refuses to run as root: then it runs as the user that its package made, or as nobody. */
const findOwner = (): Owner | undefined => {
  if (process.getuid?.() !== 0) return undefined
  for (const user of ["postgres", "nobody"]) {
    try {
      const ask = (flag: string): number => Number(execFileSync("id", [flag, user], { encoding: "utf8", stdio: "pipe" }))
      return { uid: ask("-u"), gid: ask("-g") }
    } catch {
      continue
    }
  }
  return undefined
}

const initdb = (folder: string, data: string, owner: Owner | undefined): Effect.Effect<void, HarnessError> =>
  Effect.callback<void, HarnessError>((resume) => {
    let output = ""
    const args = ["-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync", "--no-instructions"]
    const child = spawn(join(folder, "initdb"), args, { cwd: "/", stdio: ["ignore", "pipe", "pipe"], ...owner })
    const collect = (chunk: Buffer): void => {
      output += chunk.toString("utf8")
    }
    child.stdout.on("data", collect)
    child.stderr.on("data", collect)
    child.once("error", (cause) =>
      resume(Effect.fail(new HarnessError({ message: `Cannot run initdb: ${cause.message}`, output, cause }))))
    child.once("close", (code) =>
      resume(
        code === 0
          ? Effect.void
          : Effect.fail(new HarnessError({ message: `initdb ended with exit code ${code}: ${output}`, output }))
      ))
    return Effect.sync(() => child.kill("SIGKILL"))
  })

/** Runs one statement on a connection of its own and returns its rows' first columns as text. */
const runSql = (url: string, sql: string): Effect.Effect<ReadonlyArray<string>, HarnessError> =>
  Effect.tryPromise({
    try: async () => {
      const client = new Client({ connectionString: url, connectionTimeoutMillis: 2000 })
      // A server that dies under an idle connection raises this outside of any query.
      client.on("error", () => undefined)
      try {
        await client.connect()
        const result = await client.query<Array<unknown>>({ text: sql, rowMode: "array" })
        return result.rows.map(([column]) => String(column))
      } finally {
        await client.end()
      }
    },
    catch: (cause) =>
      new HarnessError({ message: `Cannot run ${JSON.stringify(sql)} on ${url}: ${String(cause)}`, output: "", cause })
  })

const hasPgStatStatements = (folder: string): boolean => {
  try {
    const library = execFileSync(join(folder, "pg_config"), ["--pkglibdir"], { encoding: "utf8", stdio: "pipe" }).trim()
    return ["so", "dylib"].some((extension) => existsSync(join(library, `pg_stat_statements.${extension}`)))
  } catch {
    // Debian's server comes without pg_config, but with the module beside it.
    return existsSync(join(folder, "..", "lib", "pg_stat_statements.so"))
  }
}

/**
 * A Postgres server of its own, made for speed (`fsync=off`): what it committed survives its death, not the machine's. Its superuser is `postgres`, without a
 * password. Where the machine has no Postgres, `availability` says so and `make` fails: give it to `describeIf`.
 */
export class PostgresServer extends Context.Service<PostgresServer, ServerProcess & {
  readonly host: string
  readonly port: number
  /** The database `postgres`. */
  readonly url: string
  /** Whether `pg_stat_statements` counts here; each created database then has the extension. */
  readonly countsStatements: boolean
  /** Creates an empty database and returns its URL. The name: lower-case letters, digits and `_`. */
  readonly createDatabase: (name: string) => Effect.Effect<string, HarnessError>
}>()("@lectern/harness/PostgresServer") {
  static readonly availability = postgresAvailability

  /** Starts a server that lives as long as the scope; about two seconds, most of it `initdb`. */
  static readonly make = (): Effect.Effect<PostgresServer["Service"], HarnessError, Scope.Scope> =>
    Effect.gen(function*() {
      const folder = postgresFolder
      if (folder === undefined) {
        return yield* new HarnessError({ message: "Cannot start Postgres: initdb and postgres were not found", output: "" })
      }
      const owner = findOwner()
      const data = join(yield* temporaryFolder("postgres", owner), "data")
      yield* initdb(folder, data, owner)
      const countsStatements = hasPgStatStatements(folder)
      const port = yield* freePort
      const urlOf = (database: string): string => `postgres://postgres@127.0.0.1:${port}/${database}`
      const settings = {
        listen_addresses: "127.0.0.1",
        unix_socket_directories: "",
        fsync: "off",
        full_page_writes: "off",
        shared_buffers: "32MB",
        // In the data folder, so that nothing is left in /dev/shm when the server is killed.
        dynamic_shared_memory_type: "mmap",
        ...(countsStatements ? { shared_preload_libraries: "pg_stat_statements", "pg_stat_statements.track": "all" } : {})
      }
      const process = yield* startServer({
        name: "Postgres",
        command: join(folder, "postgres"),
        args: ["-D", data, "-p", String(port), ...Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`])],
        ...(owner === undefined ? {} : { owner }),
        // An immediate shutdown: as sudden as a crash, but its children go too.
        endSignal: "SIGQUIT",
        probe: () =>
          Effect.flatMap(runSql(urlOf("postgres"), "show data_directory"), ([answer]) =>
            answer === data
              ? Effect.void
              : Effect.fail(new HarnessError({ message: `Port ${port} belongs to another Postgres (${answer})`, output: "" })))
      })
      return {
        ...process,
        host: "127.0.0.1",
        port,
        url: urlOf("postgres"),
        countsStatements,
        createDatabase: (name) =>
          Effect.gen(function*() {
            if (!/^[a-z][a-z0-9_]*$/.test(name)) {
              return yield* new HarnessError({ message: `Cannot create a database with the name ${JSON.stringify(name)}`, output: "" })
            }
            yield* runSql(urlOf("postgres"), `create database ${name}`)
            if (countsStatements) yield* runSql(urlOf(name), "create extension pg_stat_statements")
            return urlOf(name)
          })
      }
    })

  static readonly layer: Layer.Layer<PostgresServer, HarnessError> = Layer.effect(
    PostgresServer,
    Effect.suspend(() => PostgresServer.make())
  )
}
