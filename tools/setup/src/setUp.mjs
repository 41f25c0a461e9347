/** Makes sure that the programs of a purpose are on the machine; installs them where it may, or says how to. */
import { spawnSync } from "node:child_process"
import { accessSync, constants, existsSync, readdirSync, rmSync, writeFileSync } from "node:fs"
import { delimiter, join } from "node:path"
import { purposes } from "./requirements.mjs"

/**
 * The machine as this program sees it.
 * @typedef {object} Machine
 * @property {string} path where programs are looked for, like the environment variable PATH
 * @property {string} debianPostgres the folder in which Debian keeps the programs of its Postgres servers, by version
 * @property {string} servicePolicy the file by which Debian's packages ask whether to start their services
 * @property {boolean} isRoot
 * @property {(line: string) => void} say
 */

/** @typedef {import("./requirements.mjs").Requirement} Requirement */

/** @param {string} file */
const isExecutable = (file) => {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** @param {Machine} machine */
const folders = (machine) => {
  const versions = existsSync(machine.debianPostgres) ? readdirSync(machine.debianPostgres) : []
  return [
    ...machine.path.split(delimiter).filter((folder) => folder !== ""),
    ...versions.map((version) => join(machine.debianPostgres, version, "bin"))
  ]
}

/**
 * @param {Machine} machine
 * @param {string} program
 */
const find = (machine, program) => folders(machine).map((folder) => join(folder, program)).find(isExecutable)

/**
 * @param {Machine} machine
 * @param {ReadonlyArray<Requirement>} requirements
 */
const missing = (machine, requirements) =>
  requirements.filter(({ programs }) => programs.some((program) => find(machine, program) === undefined))

/**
 * Runs apt-get and returns nothing, or the end of what it printed if it failed.
 * @param {Machine} machine
 * @param {string} aptGet
 * @param {ReadonlyArray<string>} args
 */
const apt = (machine, aptGet, args) => {
  const { error, status, stderr, stdout } = spawnSync(aptGet, ["-o", "DPkg::Lock::Timeout=300", ...args], {
    env: { ...process.env, PATH: machine.path, DEBIAN_FRONTEND: "noninteractive" },
    stdio: ["ignore", "pipe", "pipe"],
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024
  })
  return status === 0 ? undefined : (error?.message ?? `${stdout}${stderr}`.trim().split("\n").slice(-8).join("\n"))
}

/**
 * The tests start servers of their own: the packages' services are not to be started beside them. Where the machine
 * has a policy of its own, that one holds.
 * @param {Machine} machine
 * @param {() => void} install
 */
const withoutServices = (machine, install) => {
  if (existsSync(machine.servicePolicy)) return install()
  writeFileSync(machine.servicePolicy, "#!/bin/sh\nexit 101\n", { mode: 0o755 })
  try {
    install()
  } finally {
    rmSync(machine.servicePolicy, { force: true })
  }
}

/**
 * @param {Machine} machine
 * @param {ReadonlyArray<Requirement>} requirements
 */
const installWithApt = (machine, requirements) => {
  const aptGet = find(machine, "apt-get")
  if (aptGet === undefined || !machine.isRoot || requirements.length === 0) return
  machine.say(
    `Installing ${requirements.map(({ debian, name }) => `${name} (package ${debian})`).join(", ")} with apt-get; ` +
      "this can take some minutes"
  )
  const unreachable = apt(machine, aptGet, ["update"])
  if (unreachable !== undefined) {
    machine.say(`apt-get update failed; without a network nothing can be installed:\n${unreachable}`)
  }
  withoutServices(machine, () => {
    for (const { debian, name } of requirements) {
      const fault = apt(machine, aptGet, ["install", "--yes", "--no-install-recommends", debian])
      machine.say(fault === undefined ? `Installed ${name}` : `Cannot install ${name}:\n${fault}`)
    }
  })
}

/**
 * @param {Machine} machine
 * @param {ReadonlyArray<Requirement>} requirements
 */
const sayHow = (machine, requirements) => {
  machine.say("By hand:")
  machine.say(`    Debian, Ubuntu: sudo apt-get update && sudo apt-get install ${requirements.map((it) => it.debian).join(" ")}`)
  machine.say(`    macOS:          brew install ${requirements.map((it) => it.brew).join(" ")}`)
  machine.say("or any other way that puts the programs into the PATH")
}

/**
 * Returns the exit code: 0 when all that must be there is there.
 * @param {string} purpose
 * @param {Machine} machine
 */
export const setUp = (purpose, machine) => {
  const requirements = Object.hasOwn(purposes, purpose) ? purposes[purpose] : undefined
  if (requirements === undefined) {
    machine.say(`Cannot set up ${JSON.stringify(purpose)}: the purposes are ${Object.keys(purposes).join(", ")}`)
    return 2
  }
  installWithApt(machine, missing(machine, requirements))
  const absent = missing(machine, requirements)
  for (const { name, programs, without } of absent) {
    machine.say(`${name} is not on this machine (${programs.join(", ")}): ${without ?? `it is needed for the ${purpose}`}`)
  }
  if (absent.length > 0) sayHow(machine, absent)
  return absent.some(({ without }) => without === undefined) ? 1 : 0
}
