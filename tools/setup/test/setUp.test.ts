import { afterEach, assert, beforeEach, describe, it } from "@effect/vitest"
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setUp } from "../src/setUp.mjs"

/** A machine in a folder: its programs are shell scripts, and what it is told is kept. */
const makeMachine = () => {
  const root = mkdtempSync(join(tmpdir(), "lectern-setup-"))
  const bin = join(root, "bin")
  mkdirSync(bin)
  const said: Array<string> = []
  const orders = join(root, "orders")
  const program = (name: string, script = "exit 0", folder = bin): void => {
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, name), `#!/bin/sh\n${script}\n`)
    chmodSync(join(folder, name), 0o755)
  }
  return {
    root,
    said: () => said.join("\n"),
    program,
    has: (...names: ReadonlyArray<string>) => names.forEach((name) => program(name)),
    hasDebianPostgres: () => ["initdb", "postgres"].forEach((it) => program(it, "exit 0", join(root, "pg", "16", "bin"))),
    /** An apt-get that notes its orders, with the policy for services at that time, and then does what `script` says. */
    hasApt: (script: string) =>
      program("apt-get", `[ -e ${root}/policy ] && policy=" policy" || policy=""; echo "$DEBIAN_FRONTEND: $*$policy" >> ${orders}\n${script}`),
    orders: (): ReadonlyArray<string> => existsSync(orders) ? readFileSync(orders, "utf8").trim().split("\n") : [],
    seen: {
      // /bin only for what the scripts themselves call.
      path: bin,
      debianPostgres: join(root, "pg"),
      servicePolicy: join(root, "policy"),
      isRoot: true,
      say: (line: string) => void said.push(line)
    },
    install: (...names: ReadonlyArray<string>) =>
      names.map((name) => `printf '#!/bin/sh\\n' > ${bin}/${name}; /bin/chmod 755 ${bin}/${name}`).join("; ")
  }
}

describe("setUp", () => {
  let machine: ReturnType<typeof makeMachine>
  beforeEach(() => {
    machine = makeMachine()
  })
  afterEach(() => rmSync(machine.root, { recursive: true }))

  it("asks apt-get for nothing when everything is there, Debian's own place for Postgres included", () => {
    machine.has("ffmpeg", "ffprobe", "redis-server", "chromium")
    machine.hasDebianPostgres()
    machine.hasApt("exit 1")
    assert.strictEqual(setUp("test", machine.seen), 0)
    assert.deepStrictEqual(machine.orders(), [])
    assert.strictEqual(machine.said(), "")
  })

  it("installs what is missing, and nothing else, and says so", () => {
    machine.has("redis-server", "chromium")
    machine.hasDebianPostgres()
    machine.hasApt(`case "$*" in *install*) ${machine.install("ffmpeg", "ffprobe")};; esac`)
    assert.strictEqual(setUp("test", machine.seen), 0)
    assert.deepStrictEqual(machine.orders(), [
      "noninteractive: -o DPkg::Lock::Timeout=300 update",
      "noninteractive: -o DPkg::Lock::Timeout=300 install --yes --no-install-recommends ffmpeg policy"
    ])
    assert.include(machine.said(), "Installing ffmpeg (package ffmpeg) with apt-get")
  })

  it("keeps services from starting during the installation alone", () => {
    machine.hasApt(`case "$*" in *install*) ${machine.install("ffmpeg", "ffprobe")};; esac`)
    setUp("demo", machine.seen)
    assert.isTrue(machine.orders().at(-1)?.endsWith("policy"))
    assert.isFalse(existsSync(machine.seen.servicePolicy))
  })

  it("leaves the machine's own policy for services where it is", () => {
    writeFileSync(machine.seen.servicePolicy, "mine")
    machine.hasApt("exit 0")
    setUp("demo", machine.seen)
    assert.strictEqual(readFileSync(machine.seen.servicePolicy, "utf8"), "mine")
  })

  it("says that there is no network, and how to do it by hand, when apt-get cannot reach anything", () => {
    machine.hasApt("echo 'Temporary failure resolving deb.debian.org' >&2; exit 100")
    assert.strictEqual(setUp("demo", machine.seen), 1)
    assert.include(machine.said(), "without a network nothing can be installed")
    assert.include(machine.said(), "Temporary failure resolving deb.debian.org")
    assert.include(machine.said(), "brew install ffmpeg")
  })

  it("touches nothing when it is not root, and says how on Debian and on macOS", () => {
    machine.hasApt("exit 0")
    assert.strictEqual(setUp("test", { ...machine.seen, isRoot: false }), 1)
    assert.deepStrictEqual(machine.orders(), [])
    assert.include(machine.said(), "sudo apt-get install ffmpeg redis-server postgresql chromium")
    assert.include(machine.said(), "brew install ffmpeg redis postgresql@17 chromium")
  })

  it("goes on without Postgres, saying what is not run", () => {
    machine.has("ffmpeg", "ffprobe", "redis-server")
    assert.strictEqual(setUp("test", machine.seen), 0)
    assert.include(machine.said(), "will be counted as not run")
  })

  it("needs only ffmpeg for the demo", () => {
    machine.has("ffmpeg", "ffprobe")
    assert.strictEqual(setUp("demo", machine.seen), 0)
    assert.strictEqual(machine.said(), "")
  })

  it("refuses a purpose that it does not know", () => {
    assert.strictEqual(setUp("constructor", machine.seen), 2)
    assert.include(machine.said(), "the purposes are demo, test, bench, image, base-image")
  })
})
