import * as Cause from "effect/Cause"
import * as Exit from "effect/Exit"
import * as Runtime from "effect/Runtime"
import { constants } from "node:os"
import process from "node:process"

const endings = ["SIGINT", "SIGTERM", "SIGHUP"] as const

/**
 * Runs a program until it ends or is told to, releases what it holds, and exits as a shell would say it: 128 and the number of the
 * signal. A reader of standard output that has left ends it like the signal that other programs get for it.
 */
export const runMain = Runtime.makeRunMain(({ fiber, teardown }) => {
  let told: keyof typeof constants.signals | null = null
  const end = (signal: keyof typeof constants.signals) => (): void => {
    told ??= signal
    fiber.interruptUnsafe(fiber.id)
  }
  for (const signal of endings) process.on(signal, end(signal))
  process.stdout.on("error", end("SIGPIPE"))
  // Whoever read the progress has left; the work goes on.
  process.stderr.on("error", () => {})

  fiber.addObserver((exit) => {
    teardown(exit, (code) => {
      const interrupted = Exit.isFailure(exit) && Cause.hasInterruptsOnly(exit.cause)
      process.exit(interrupted && told !== null ? 128 + constants.signals[told] : code)
    })
  })
})
