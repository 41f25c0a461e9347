/**
 * `node tools/setup/src/main.mjs [demo | test | bench | image | base-image]`: without an argument, everything that the tests need.
 *
 * Plain JavaScript, for it must start on any Node there is, to say what is wrong with it.
 */
import { spawnSync } from "node:child_process"
import { existsSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { interpreterMissing, runsSources } from "./interpreter.mjs"
import { setUp } from "./setUp.mjs"

const own = fileURLToPath(new URL("../../../node_modules/.bin/node", import.meta.url))

const run = () => {
  if (!runsSources(process.version)) {
    // npm puts node_modules/.bin first: on an older Node this was started by hand, or our Node was never installed.
    const version = existsSync(own) ? spawnSync(own, ["--version"], { encoding: "utf8" }).stdout : ""
    if (runsSources(version ?? "")) {
      return spawnSync(own, process.argv.slice(1), { stdio: "inherit" }).status ?? 1
    }
    console.error(interpreterMissing(process.version))
    return 1
  }
  return setUp(process.argv[2] ?? "test", {
    path: process.env["PATH"] ?? "",
    debianPostgres: "/usr/lib/postgresql",
    servicePolicy: "/usr/sbin/policy-rc.d",
    isRoot: process.getuid?.() === 0,
    say: (line) => console.error(line)
  })
}

process.exitCode = run()
