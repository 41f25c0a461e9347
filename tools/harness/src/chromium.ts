/** A real browser for tests. A door of its own: whoever needs servers alone does not load what drives it. */
import { Effect, type Scope } from "effect"
import { join } from "node:path"
import { type BrowserContext, chromium } from "playwright-core"
import { chromiumFolder } from "./Availability.ts"
import { HarnessError } from "./HarnessError.ts"
import { temporaryFolder } from "./TemporaryFolder.ts"

export { chromiumAvailability } from "./Availability.ts"

const launch = (folder: string, profile: string): Promise<BrowserContext> =>
  chromium.launchPersistentContext(profile, {
    executablePath: join(folder, "chromium"),
    headless: true,
    args: [
      "--headless",
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      "--autoplay-policy=no-user-gesture-required"
    ]
  })

/**
 * Starts a headless Chromium that lives as long as the scope, with a profile of its own: what its tabs share, they share
 * with nobody else.
 */
export const openChromium: Effect.Effect<BrowserContext, HarnessError, Scope.Scope> = Effect.gen(function*() {
  if (chromiumFolder === undefined) {
    return yield* new HarnessError({ message: "Cannot start Chromium: chromium was not found", output: "" })
  }
  const folder = chromiumFolder
  const profile = yield* temporaryFolder("chromium")
  return yield* Effect.acquireRelease(
    Effect.tryPromise({
      try: () => launch(folder, profile),
      catch: (cause) => new HarnessError({ message: `Cannot start Chromium: ${String(cause)}`, output: "", cause })
    }),
    (context) => Effect.promise(() => context.close())
  )
})
