import { Effect, type Scope } from "effect"

/** How long a process may take to end in order after its parent has gone, in milliseconds. */
const endWithinMillis = 10_000

/**
 * Ends this process when the process that started it is gone, by SIGKILL even: first as SIGTERM does, in order, and by force
 * after ten seconds. A process that nobody started over IPC is left alone.
 */
export const exitWithParent: Effect.Effect<void, never, Scope.Scope> = Effect.suspend(() => {
  if (process.send === undefined) return Effect.void
  const onDisconnect = (): void => {
    setTimeout(() => process.exit(1), endWithinMillis).unref()
    process.kill(process.pid, "SIGTERM")
  }
  return Effect.asVoid(Effect.acquireRelease(
    Effect.sync(() => {
      process.on("disconnect", onDisconnect)
      // Listening must not keep a process alive whose work is done.
      process.channel?.unref()
      if (!process.connected) onDisconnect()
    }),
    () => Effect.sync(() => process.off("disconnect", onDisconnect))
  ))
})
