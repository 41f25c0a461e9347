/**
 * The queues' worker with the real import and with jobs of the soak: `ocr` and `messaging` jobs do what their payload
 * says. Every attempt is told on standard output when it begins and ends, so that whoever kills this knows what it
 * was doing.
 */
import { NodeServices } from "@effect/platform-node"
import { Effect, References, Schema } from "effect"
import { flushCompileCache } from "node:module"
import { tmpdir } from "node:os"
import {
  type HandlerEnd,
  type JobHandler,
  readWorkerSettings,
  runWorkerWith,
  studentImportJob,
  withServices
} from "../../src/index.ts"
import { SoakPayload } from "./SoakPayload.ts"

const decode = Schema.decodeUnknownEffect(SoakPayload)

const say = (word: "begin" | "end", jobId: string): Effect.Effect<void> =>
  Effect.sync(() => void process.stdout.write(`${word} ${jobId}\n`))

const told = <R>(handler: JobHandler<R>): JobHandler<R> => ({
  memoryMiB: handler.memoryMiB,
  handle: (run, payload, pulse) =>
    Effect.andThen(say("begin", run.lease.jobId), handler.handle(run, payload, pulse)).pipe(
      Effect.map((end) => ({
        command: end.command,
        afterwards: Effect.andThen(say("end", run.lease.jobId), end.afterwards)
      }))
    )
})

const light: JobHandler = {
  memoryMiB: 8,
  handle: Effect.fnUntraced(function*(run, payload, pulse) {
    const { behaviour, millis } = yield* Effect.orDie(decode(payload))
    const { attempt } = run.lease
    const ended = (command: HandlerEnd["command"]): HandlerEnd => ({ command, afterwards: Effect.void })
    const done = ended({ _tag: "Succeed", result: { attempt } })
    switch (behaviour) {
      case "quick":
        return done
      case "slow":
        for (let waited = 0; waited < millis; waited += 250) {
          yield* Effect.sleep("250 millis")
          yield* pulse
        }
        return done
      case "fails_once":
        return attempt === 1
          ? ended({ _tag: "Fail", code: "flaky", message: "한 번 실패합니다", retryable: true })
          : done
      case "bad_input":
        return ended({ _tag: "Reject", code: "bad_input", message: "읽을 수 없습니다" })
      case "unsure":
        return ended({ _tag: "RequireReview", result: { attempt }, message: "확인해 주세요" })
      case "poison":
        process.kill(process.pid, "SIGKILL")
        return yield* Effect.never
    }
  })
}

// Fifty of these are started, and none ends in a way that would keep what it compiled.
flushCompileCache()

process.stdin.on("end", () => process.exit(1)).resume()

Effect.runFork(
  Effect.flatMap(readWorkerSettings(process.env), (settings) =>
    runWorkerWith(
      settings,
      Effect.all({
        student_import: withServices(told(studentImportJob({ workRoot: tmpdir() }))),
        ocr: Effect.succeed(told(light)),
        messaging: Effect.succeed(told(light))
      })
    )).pipe(Effect.provideService(References.MinimumLogLevel, "Error"), Effect.provide(NodeServices.layer))
)
