import type { TenantId } from "@lectern/domain"
import { Effect, Fiber, Schedule, Semaphore } from "effect"

export interface AdmissionOptions {
  /** Jobs at a time of one tenant. */
  readonly tenantConcurrency: number
  /** MiB that all jobs together may hold. */
  readonly memoryMiB: number
}

export interface Admission {
  /** Whether the tenant has as many jobs in work as it may have. */
  readonly isCrowded: (tenantId: TenantId) => Effect.Effect<boolean>
  /**
   * Runs work when there is memory for it, in the order of asking. `whileWaiting` is repeated until then; what needs
   * more than there is runs alone.
   */
  readonly admit: <A, E, R>(
    job: { readonly tenantId: TenantId; readonly memoryMiB: number; readonly whileWaiting: Effect.Effect<void> },
    work: Effect.Effect<A, E, R>
  ) => Effect.Effect<A, E, R>
}

/** Often enough for every visibility: `whileWaiting` decides by itself whether there is something to do. */
const waitingPulse = "1 second"

/** Decides which of the jobs in hand may begin. */
export const makeAdmission = (options: AdmissionOptions): Effect.Effect<Admission> =>
  Effect.gen(function*() {
    const memory = yield* Semaphore.make(options.memoryMiB)
    // Without turns, small jobs would pass a large one for ever.
    const turns = yield* Semaphore.make(1)
    const inWork = new Map<TenantId, number>()
    const count = (tenantId: TenantId): number => inWork.get(tenantId) ?? 0

    const counted = <A, E, R>(tenantId: TenantId, work: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
      Effect.acquireUseRelease(
        Effect.sync(() => inWork.set(tenantId, count(tenantId) + 1)),
        () => work,
        () =>
          Effect.sync(() => {
            const left = count(tenantId) - 1
            if (left > 0) inWork.set(tenantId, left)
            else inWork.delete(tenantId)
          })
      )

    return {
      isCrowded: (tenantId) => Effect.sync(() => count(tenantId) >= options.tenantConcurrency),
      admit: ({ memoryMiB, tenantId, whileWaiting }, work) => {
        const cost = Math.min(memoryMiB, options.memoryMiB)
        return counted(
          tenantId,
          Effect.scoped(Effect.gen(function*() {
            const waiting = yield* Effect.forkScoped(Effect.repeat(whileWaiting, Schedule.spaced(waitingPulse)))
            yield* turns.withPermit(memory.takeScoped(cost))
            yield* Fiber.interrupt(waiting)
            return yield* work
          }))
        )
      }
    }
  })
