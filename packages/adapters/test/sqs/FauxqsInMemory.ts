import { Warden } from "@lectern/harness"
import { Effect, type Scope } from "effect"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"

const program = fileURLToPath(new URL("fixtures/fauxqs.ts", import.meta.url))

/**
 * SQS without persistence. The harness's server persists, and there fauxqs 2.4.1 loses a message whose visibility is set to zero:
 * it writes NULL into its column of receive counts, which the column refuses.
 */
export const startFauxqsInMemory: Effect.Effect<{ readonly url: string }, never, Scope.Scope> = Effect.map(
  Effect.acquireRelease(
    Effect.promise(async () => {
      const child = Warden.held(spawn(process.execPath, ["--disable-warning=ExperimentalWarning", program], {
        stdio: ["pipe", "pipe", "inherit"],
        env: { PATH: process.env["PATH"] }
      }))
      const [port] = await once(createInterface({ input: child.stdout }), "line")
      return { child, port: Number(port) }
    }),
    ({ child }) =>
      Effect.promise(async () => {
        const ended = once(child, "exit")
        child.kill("SIGKILL")
        await ended
      })
  ),
  ({ port }) => ({ url: `http://127.0.0.1:${port}` })
)
