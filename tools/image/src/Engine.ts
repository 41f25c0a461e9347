/** The container engine of this machine: Docker where its daemon answers, else Podman with a storage of its own. */
import { spawnSync } from "node:child_process"
import { basename } from "node:path"

export interface Engine {
  readonly kind: "docker" | "podman"
  readonly command: string
  /** Options of the engine itself, before its own command. */
  readonly options: ReadonlyArray<string>
  /** Everything in its storage was made by us. */
  readonly isOurs: boolean
}

/** As a shell would take it, and as `LECTERN_CONTAINER_ENGINE` is read. */
export const commandLine = ({ command, options }: Engine): string => [command, ...options].join(" ")

/**
 * What every run here needs: the engines' defaults ask for more open files and processes than a machine that is a
 * container itself may give.
 */
export const runLimits: ReadonlyArray<string> = ["--ulimit", "nofile=4096:4096", "--ulimit", "nproc=4096:4096"]

const answers = (command: string, args: ReadonlyArray<string>): boolean =>
  spawnSync(command, args, { stdio: "ignore", timeout: 20_000 }).status === 0

/**
 * `named` is an engine's command line, such as `podman --root /srv/store`; without it one is looked for. Podman as
 * root keeps its images in `folder` and uses runc with cgroupfs, which work also where there is no systemd and the
 * control groups are of the first version.
 */
export const findEngine = (named: string | undefined, folder: string): Engine | undefined => {
  const [command, ...options] = (named ?? "").split(" ").filter((word) => word !== "")
  if (command !== undefined) {
    return { kind: basename(command) === "docker" ? "docker" : "podman", command, options, isOurs: false }
  }
  if (answers("docker", ["info"])) return { kind: "docker", command: "docker", options: [], isOurs: false }
  const ours: Engine = {
    kind: "podman",
    command: "podman",
    options: [
      "--root",
      `${folder}/store`,
      "--runroot",
      `${folder}/run`,
      "--runtime",
      "runc",
      "--cgroup-manager",
      "cgroupfs"
    ],
    isOurs: true
  }
  if (process.getuid?.() === 0 && answers(ours.command, [...ours.options, "info"])) return ours
  return answers("podman", ["info"]) ? { kind: "podman", command: "podman", options: [], isOurs: false } : undefined
}

/** The engine did not do what it was asked to. */
export class EngineFailed extends Error {
  override readonly name = "EngineFailed"
}

/** Runs the engine, showing what it says; fails with the end of its command line. */
export const runEngine = (engine: Engine, args: ReadonlyArray<string>): void => {
  const { error, signal, status } = spawnSync(engine.command, [...engine.options, ...args], {
    stdio: ["ignore", "inherit", "inherit"]
  })
  if (status === 0) return
  const how = error?.message ?? (signal === null ? `exit code ${status}` : `signal ${signal}`)
  throw new EngineFailed(`${commandLine(engine)} ${args[0] ?? ""} ended with ${how}`)
}

/** What the engine says on standard output, or nothing if it fails. */
export const askEngine = (engine: Engine, args: ReadonlyArray<string>): string | undefined => {
  const { status, stdout } = spawnSync(engine.command, [...engine.options, ...args], {
    stdio: ["ignore", "pipe", "ignore"],
    encoding: "utf8"
  })
  return status === 0 ? stdout.trim() : undefined
}

export const hasImage = (engine: Engine, image: string): boolean =>
  askEngine(engine, ["image", "inspect", image]) !== undefined
