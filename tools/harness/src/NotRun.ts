/**
 * Says what a test needs and this machine lacks. Nothing is skipped in silence: {@link describeIf} leaves the reason on
 * every test of the suite, and `NotRunReporter` counts them and prints the reasons at the end of the run.
 */
import { describe } from "vitest"

declare module "vitest" {
  interface TaskMeta {
    /** Why the test could not run on this machine. */
    notRun?: string
  }
}

/** Whether something that tests need is here; if not, the reason as a phrase such as `no Postgres server found`. */
export type Availability = { readonly available: true } | { readonly available: false; readonly reason: string }

/** Declares the suite `name`, to run only where `needed` is available; elsewhere its tests are counted as not run. */
export const describeIf = (needed: Availability, name: string, suite: () => void): void => {
  if (needed.available) describe(name, suite)
  else describe(name, { skip: true, meta: { notRun: needed.reason } }, suite)
}
