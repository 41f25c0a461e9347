import { Deferred, Effect, type Scope } from "effect"
import { spawn } from "node:child_process"
import { randomUUID } from "node:crypto"
import { readdirSync, readlinkSync } from "node:fs"
import { tmpdir } from "node:os"
import { askEngine, type Engine, findEngine, runLimits } from "../src/Engine.ts"
import { storageFolder } from "../src/storageFolder.ts"

const found = findEngine(process.env["LECTERN_CONTAINER_ENGINE"], storageFolder)
if (found === undefined) throw new Error("Cannot run images: no container engine works here; see `npm run image`")
export const engine: Engine = found

export interface ContainerOptions {
  readonly image: string
  readonly env?: Readonly<Record<string, string>>
  /** Options of the run besides those that every run here has. */
  readonly options?: ReadonlyArray<string>
  /** The command, where it is not the image's own. */
  readonly command?: ReadonlyArray<string>
}

export interface Container {
  readonly name: string
  /** What it has written so far, to both outputs, with what the engine said itself. */
  readonly output: () => string
  /** The lines of its standard output. */
  readonly lines: () => ReadonlyArray<string>
  /** Waits until what it has written matches; fails the test when it ends before. */
  readonly said: (pattern: RegExp) => Effect.Effect<void>
  /** Waits for its end. */
  readonly exitCode: Effect.Effect<number>
  readonly signal: (name: string) => Effect.Effect<void>
  /** As an operator or Batch ends it: SIGTERM, and SIGKILL after so many seconds. */
  readonly stop: (seconds: number) => Effect.Effect<void>
  /** Runs a command inside and answers its exit code. */
  readonly run: (...command: ReadonlyArray<string>) => Effect.Effect<number>
  /** The ids of its processes, as this machine counts them. */
  readonly processes: Effect.Effect<ReadonlyArray<number>>
}

/** As Batch is told to run it: not root, nothing to be written but a scratch space, no capability at all. */
const hardened: ReadonlyArray<string> = ["--read-only", "--tmpfs", "/tmp:rw,mode=1777,size=1g", "--cap-drop", "all"]

/** The longest that a container lives, in seconds, should this process die before it can remove it. */
const longest = 600

const ask = (args: ReadonlyArray<string>): Effect.Effect<string | undefined> =>
  Effect.sync(() => askEngine(engine, args))

/** The processes of the process namespace that `pid` is the first of. */
const namespaceOf = (pid: number): ReadonlyArray<number> => {
  const spaceOf = (id: string): string | undefined => {
    try {
      return readlinkSync(`/proc/${id}/ns/pid`)
    } catch {
      return undefined
    }
  }
  const space = spaceOf(String(pid))
  if (space === undefined) return []
  return readdirSync("/proc").filter((id) => /^\d+$/.test(id) && spaceOf(id) === space).map(Number)
}

/** Runs an image until it ends or the scope does, on the network of this machine. */
export const runContainer = Effect.fnUntraced(function*(
  { command = [], env = {}, image, options = [] }: ContainerOptions
): Effect.fn.Return<Container, never, Scope.Scope> {
  const name = `lectern-test-${randomUUID()}`
  const ended = yield* Deferred.make<number>()
  let output = ""
  let stdout = ""
  const waiting = new Set<() => void>()
  const child = yield* Effect.acquireRelease(
    Effect.sync(() =>
      spawn(engine.command, [
        ...engine.options,
        "run",
        "--name",
        name,
        "--pull",
        "never",
        ...(engine.kind === "podman" ? ["--timeout", String(longest)] : []),
        ...runLimits,
        ...hardened,
        "--network",
        "host",
        ...options,
        ...Object.entries(env).flatMap(([key, value]) => ["--env", `${key}=${value}`]),
        image,
        ...command
      ], {
        stdio: ["ignore", "pipe", "pipe"],
        // Podman's monitor leaves a file "oom" where it was started, when the memory limit has been reached.
        cwd: tmpdir()
      })
    ),
    () => ask(["rm", "--force", "--volumes", ...(engine.kind === "podman" ? ["--time", "0"] : []), name])
  )
  const collect = (chunk: Buffer): void => {
    output += chunk.toString("utf8")
    for (const look of waiting) look()
  }
  child.stdout.on("data", (chunk: Buffer) => {
    stdout += chunk.toString("utf8")
    collect(chunk)
  })
  child.stderr.on("data", collect)
  child.once("close", (code) => {
    Deferred.doneUnsafe(ended, Effect.succeed(code ?? -1))
    for (const look of waiting) look()
  })
  const inspect = (field: string) => Effect.map(ask(["inspect", "--format", `{{${field}}}`, name]), Number)
  return {
    name,
    output: () => output,
    lines: () => stdout.trim().split("\n"),
    said: (pattern) =>
      Effect.callback<void>((resume) => {
        const look = (): void => {
          if (pattern.test(output)) resume(Effect.void)
          else if (Deferred.isDoneUnsafe(ended)) {
            resume(Effect.die(new Error(`The container ended without ${pattern}: ${output}`)))
          }
        }
        waiting.add(look)
        look()
        return Effect.sync(() => waiting.delete(look))
      }),
    exitCode: Deferred.await(ended),
    signal: (signal) => Effect.asVoid(ask(["kill", "--signal", signal, name])),
    stop: (seconds) => Effect.asVoid(ask(["stop", "--time", String(seconds), name])),
    run: (...words) =>
      Effect.callback<number>((resume) => {
        const inside = spawn(engine.command, [...engine.options, "exec", name, ...words], { stdio: "ignore" })
        inside.once("close", (code) => resume(Effect.succeed(code ?? -1)))
      }),
    processes: Effect.map(inspect(".State.Pid"), namespaceOf)
  }
})
