import * as Cause from "effect/Cause"
import * as Exit from "effect/Exit"
import * as Runtime from "effect/Runtime"
import { constants } from "node:os"
import process from "node:process"
import { exitCodes } from "./CommandFailed.ts"

const exitCodeOf = (signal: keyof typeof constants.signals): number => 128 + constants.signals[signal]

/**
 * Runs a program until it ends or is told to, releases what it holds, and exits as a shell would say it: 128 and the number of the
 * signal. A reader of standard output that has left ends it like the signal that other programs get for it.
 */
export const runMain = Runtime.makeRunMain(({ fiber, teardown }) => {
  let told: number | null = null
  const end = (exitCode: number): void => {
    told ??= exitCode
    fiber.interruptUnsafe(fiber.id)
  }
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => end(exitCodeOf(signal)))

  let lost: number | null = null
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    const gone = error.code === "EPIPE"
    if (!gone && lost === null) process.stderr.write(`lectern: Cannot write to standard output: ${error.message}\n`)
    lost ??= gone ? exitCodeOf("SIGPIPE") : exitCodes.unavailable
    end(lost)
  })
  // Whoever read the progress has left; the work goes on.
  process.stderr.on("error", () => {})

  fiber.addObserver((exit) => {
    teardown(exit, (code) => {
      const interrupted = Exit.isFailure(exit) && Cause.hasInterruptsOnly(exit.cause)
      // What has been written is through, or is known to be lost, when a write behind it comes back.
      process.stdout.write("", () => setImmediate(() => process.exit(lost ?? (interrupted ? told : null) ?? code)))
    })
  })
})
