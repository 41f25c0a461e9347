import { Context, Effect, Layer, type Scope } from "effect"
import { fileURLToPath } from "node:url"
import { HarnessError } from "./HarnessError.ts"
import { freePort } from "./ports.ts"
import { type ServerProcess, startServer } from "./ServerProcess.ts"
import { temporaryFolder } from "./TemporaryFolder.ts"

const program = fileURLToPath(new URL("fauxqs/main.ts", import.meta.url))

const listQueues = (port: number): Effect.Effect<void, HarnessError> =>
  Effect.tryPromise({
    try: async (signal) => {
      const response = await fetch(`http://127.0.0.1:${port}/`, {
        method: "POST",
        headers: { "content-type": "application/x-amz-json-1.0", "x-amz-target": "AmazonSQS.ListQueues" },
        body: "{}",
        signal
      })
      await response.arrayBuffer()
      if (!response.ok) throw new Error(`status ${response.status}`)
    },
    catch: (cause) => new HarnessError({ message: `fauxqs on port ${port} does not list queues: ${String(cause)}`, output: "", cause })
  })

/**
 * SQS and S3 on one port, by `fauxqs` 2.4.1, in a process of its own. Queues, messages and objects survive `kill` and
 * `restart`. Where it differs from AWS: an aborted long poll takes the next message and hides it until its visibility ends;
 * a message moves to the dead-letter queue at the next receive of its source; bodies over 11 MiB are refused; the
 * expiry and signature of presigned URLs are not checked; the conditions of PutObject, `ListParts` and
 * `ListMultipartUploads` are missing: `makeS3Gate` answers these.
 */
export class FauxqsServer extends Context.Service<FauxqsServer, ServerProcess & {
  readonly port: number
  /** The endpoint for SQS and for S3 (path style). Any credentials and region do. */
  readonly url: string
}>()("@lectern/harness/FauxqsServer") {
  /** Starts a server that lives as long as the scope. */
  static readonly make: Effect.Effect<FauxqsServer["Service"], HarnessError, Scope.Scope> = Effect.gen(function*() {
    const folder = yield* temporaryFolder("fauxqs")
    const port = yield* freePort
    const server = yield* startServer({
      name: "fauxqs",
      command: process.execPath,
      args: ["--disable-warning=ExperimentalWarning", program, String(port), folder],
      env: { PATH: process.env["PATH"] },
      endSignal: "SIGKILL",
      probe: () => listQueues(port)
    })
    return { ...server, port, url: `http://127.0.0.1:${port}` }
  }).pipe(Effect.retry({ times: 2 }))

  static readonly layer: Layer.Layer<FauxqsServer, HarnessError> = Layer.effect(FauxqsServer, FauxqsServer.make)
}
