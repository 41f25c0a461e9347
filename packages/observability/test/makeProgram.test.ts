import { assert, describe, it } from "@effect/vitest"
import { LogLineJson, makeProgram, programExits } from "@lectern/observability"
import { Cause, Config, ConfigProvider, Effect, type Exit, Fiber, Schema } from "effect"

const told = 143

/** A program whose lines are kept, in an environment. */
const programIn = (env: Record<string, string>) => {
  const lines: Array<string> = []
  const program = makeProgram({
    service: "fixture",
    name: "The fixture",
    stopped: told,
    sink: { isTTY: false, write: (text: string) => lines.push(text) > 0 }
  })
  const exitCodeOf = (exit: Exit.Exit<number>): number | undefined => {
    let code: number | undefined
    program.ending.teardown(exit, (said) => {
      code = said
    })
    return code
  }
  const run = (work: Effect.Effect<number, Config.ConfigError>) =>
    Effect.exit(program.observed(work)).pipe(
      Effect.map(exitCodeOf),
      Effect.provideService(ConfigProvider.ConfigProvider, ConfigProvider.fromUnknown(env))
    )
  const logged = Effect.suspend(() =>
    Effect.forEach(lines, (line) =>
      Effect.map(Schema.decodeUnknownEffect(LogLineJson)(line), ({ level, message }) => [level, message]))
  )
  return { program, run, exitCodeOf, logged }
}

describe("a program that stays up", () => {
  it.effect("exits with the number that its work ends with, and says nothing of it", () =>
    Effect.gen(function*() {
      const { logged, run } = programIn({})
      assert.strictEqual(yield* run(Effect.succeed(programExits.temporary)), programExits.temporary)
      assert.deepStrictEqual(yield* logged, [])
    }))

  it.effect("exits as it says that it does when it is told to stop", () =>
    Effect.gen(function*() {
      const { exitCodeOf, logged, program } = programIn({})
      const running = yield* Effect.forkChild(program.observed(Effect.never), { startImmediately: true })
      yield* Fiber.interrupt(running)
      assert.strictEqual(exitCodeOf(yield* Fiber.await(running)), told)
      assert.deepStrictEqual(yield* logged, [["INFO", "The fixture was told to stop, and has"]])
    }))

  it.effect("calls what nobody foresaw a fault of ours", () =>
    Effect.gen(function*() {
      const { logged, run } = programIn({})
      assert.strictEqual(yield* run(Effect.die(new Error("boom"))), programExits.bug)
      const [[level, message] = []] = yield* logged
      assert.deepStrictEqual([level, message], ["FATAL", "The fixture broke"])
      const torn = Effect.failCause(Cause.combine(Cause.interrupt(), Cause.die("boom")))
      assert.strictEqual(yield* run(torn), programExits.bug)
    }))

  it.effect("refuses a configuration that makes no sense, also where it is that of its logs", () =>
    Effect.gen(function*() {
      for (const env of [{ LOG_LEVEL: "loud" }, { PORT: "x" }, {}]) {
        const { logged, run } = programIn(env)
        assert.strictEqual(yield* run(Config.Int("PORT")), programExits.configuration)
        assert.deepStrictEqual((yield* logged).map(([level]) => level), ["FATAL"])
      }
    }))

  it.effect("refuses a start with the words of the refusal", () =>
    Effect.gen(function*() {
      const { logged, program } = programIn({})
      assert.strictEqual(yield* program.refused({ message: "no database" }), programExits.configuration)
      assert.deepStrictEqual(yield* logged, [["FATAL", "no database"]])
    }))
})
