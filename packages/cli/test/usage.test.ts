import { assert, describe, it } from "@effect/vitest"
import { existsSync } from "node:fs"
import { readdir, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { lectern, ownFolder, startLectern } from "./lecternProgram.ts"

const stackTrace = /^\s+at .+:\d+:\d+\)?$/m

describe("lectern, called rightly or wrongly", () => {
  it.each([
    ["up", ["--port", "--host", "--encodes", "--data"]],
    ["demo", ["--data"]],
    ["encode", ["FILE", "--out", "--json"]],
    ["import", ["FILE", "--dry-run", "--json", "--reading", "--undo", "--tenant", "--data"]],
    ["token", ["--tenant", "--subject", "--hours", "--data"]]
  ])("explains %s and each of its flags", async (command, flags) => {
    const { code, stderr, stdout } = await lectern([command, "--help"])
    assert.strictEqual(code, 0)
    assert.strictEqual(stderr, "")
    assert.include(stdout, `lectern ${command}`)
    for (const flag of flags) assert.include(stdout, flag)
  })

  it("lists its commands without being asked for one", async () => {
    const { code, stdout } = await lectern([])
    assert.strictEqual(code, 0)
    for (const command of ["up", "demo", "encode", "import", "token"]) assert.match(stdout, new RegExp(`^  ${command} `, "m"))
  })

  it.each([
    [["tokne", "--tenant", "1"], "Unknown subcommand \"tokne\""],
    [["token"], "--tenant"],
    [["token", "--tenant"], "Missing value for flag --tenant"],
    [["token", "--tenant", "zero"], "Invalid value for flag --tenant: \"zero\""],
    [["token", "--tenant", "0"], "greater than 0"],
    [["token", "--tenant", "1", "--hours", "9000"], "between 1 and 8760"],
    [["up", "--port", "70000"], "between 0 and 65535"],
    [["up", "--encodes", "0"], "between 1 and 16"],
    [["encode", "--out", "x"], "Missing required argument: FILE"],
    [["encode", "lecture.mp4"], "Missing required flag: --out"],
    [["import", "roster.xlsx", "--dryrun"], "Unrecognized flag: --dryrun"],
    [["encode", "/no/such/lecture.mp4", "--out", "x"], "Cannot encode \"/no/such/lecture.mp4\": there is no such file"],
    [["import", "/no/such/roster.xlsx"], "Cannot import \"/no/such/roster.xlsx\": there is no such file"],
    [["import", "/"], "Cannot import \"/\": it is a directory, not a file"],
    [["encode", "/", "--out", "x"], "Cannot encode \"/\": it is a directory, not a file"]
  ])("refuses %j on standard error alone", async (args, message) => {
    const { code, stderr, stdout } = await lectern(args, { cwd: await ownFolder() })
    assert.strictEqual(code, 64)
    assert.strictEqual(stdout, "")
    assert.include(stderr, message)
    assert.notMatch(stderr, stackTrace)
  })

  it("names every fault of a configuration at once, and shows no value", async () => {
    const { code, stderr, stdout } = await lectern(["up", "--port", "0"], {
      cwd: await ownFolder(),
      env: {
        DATABASE_URL: "mysql://somebody:geheim-1@db/lectern",
        REDIS_URL: "geheim-2",
        AUTH_JWT_SECRET: "geheim-3",
        PORT: "geheim-4",
        LOG_LEVEL: "geheim-5",
        R2_SECRET_KEY: "geheim-6"
      }
    })
    assert.strictEqual(code, 78)
    assert.strictEqual(stdout, "")
    for (const name of ["DATABASE_URL", "REDIS_URL", "AUTH_JWT_SECRET", "PORT", "LOG_LEVEL"]) assert.include(stderr, `- ${name}:`)
    assert.notInclude(stderr, "geheim")
    assert.notMatch(stderr, stackTrace)
  })

  it.each([
    ["up", ["--port", "0", "--data"], "Cannot use the data directory"],
    ["demo", ["--data"], "Cannot use the data directory"],
    ["infra synth", ["--out"], "Cannot write the templates to"]
  ])("says of %s what stands where a directory should be", async (command, args, message) => {
    const folder = await ownFolder()
    await writeFile(join(folder, "occupied"), "")
    const { code, stderr } = await lectern([...command.split(" "), ...args, "occupied/a"], { cwd: folder })
    assert.strictEqual(code, 69)
    assert.include(stderr, message)
    assert.include(stderr, "a file stands where a directory is needed")
    assert.notMatch(stderr, stackTrace)
  })

  it.each([
    ["up", ["--port", "0", "--data"]],
    ["demo", ["--data"]],
    ["infra synth", ["--out"]]
  ])("takes no empty name for the directory of %s", async (command, args) => {
    const folder = await ownFolder()
    const { code } = await lectern([...command.split(" "), ...args, ""], { cwd: folder })
    assert.strictEqual(code, 64)
    assert.deepStrictEqual(await readdir(folder), [])
  })

  it.skipIf(!existsSync("/proc/self")).each([
    ["up", ["--port", "0", "--data"]],
    ["infra synth", ["--out"]]
  ])("ends %s where no directory can be made", async (command, args) => {
    const { code, stderr } = await lectern([...command.split(" "), ...args, "/proc/x"], { cwd: await ownFolder() })
    assert.strictEqual(code, 69)
    assert.include(stderr, "no directory can be made in \"/proc\"")
  })

  it("says of a database that does not answer where it is, what to do, and no password", async () => {
    const { code, stderr } = await lectern(["up", "--port", "0"], {
      cwd: await ownFolder(),
      env: { DATABASE_URL: "postgres://lectern:geheim@127.0.0.1:1/lectern" }
    })
    assert.strictEqual(code, 69)
    assert.include(stderr, "Postgres at 127.0.0.1:1 refused the connection")
    assert.include(stderr, "next: start Postgres or correct the host and port of DATABASE_URL")
    assert.notInclude(stderr, "geheim")
  })

  it("ends as other programs do when the reader of its output has left", async () => {
    const started = startLectern(["--help"])
    started.child.stdout?.destroy()
    const { code, stderr } = await started.end
    assert.strictEqual(code, 141)
    assert.strictEqual(stderr, "")
  })
})
