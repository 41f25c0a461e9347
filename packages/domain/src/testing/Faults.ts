import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"

/**
 * What becomes of one call to a port.
 *
 * - `ok`: it does what it does.
 * - `slow`: it does what it does, 200 milliseconds later.
 * - `refused`: it fails at once with the port's own "unavailable" error, retryable; nothing happened.
 * - `broken`: the same, and the error says that a retry cannot help. A mirror makes no difference between the two.
 * - `unstorable`: as `broken`, and a database's error says that it cannot keep a value of the call.
 * - `timeout`: as `refused`, after 200 milliseconds: a client's own time limit, just inside the mirror's budget.
 * - `lost`: it happens, and its answer is lost: the caller sees what `refused` shows.
 * - `hang`: it never answers, and nothing happened.
 * - `defect`: it dies with an `Error`; nothing happened.
 */
export type Fault = "ok" | "slow" | "refused" | "broken" | "unstorable" | "timeout" | "lost" | "hang" | "defect"

/** The ports that a script can be given to. */
export type FaultyPort = "store" | "students" | "messages" | "mirror" | "reader" | "queue" | "runtime" | "objects"

/** One call as it went: `died` is the call at which the process was killed. */
export interface PortCall {
  /** `JobStore.transition` and the like. */
  readonly method: string
  readonly outcome: Fault | "died"
}

/** Milliseconds after which a call with the fault `timeout` fails, and one with `slow` happens. */
export const faultTimeoutMillis = 200

/** What a call failed with: the cause inside the port's own error. */
export class InjectedFault extends Error {
  override readonly name = "InjectedFault"
}

/**
 * The script by which the ports of `TestDomain` fail, call by call.
 *
 * Each port has its own script, taken from the front by one call after the other; past its end every call is `ok`. All calls
 * are noted in `calls`, in the order in which they began.
 */
export class Faults extends Context.Service<Faults, {
  /** Replaces the script of the database's calls. */
  readonly store: (script: ReadonlyArray<Fault>) => Effect.Effect<void>
  /** Replaces the script of the calls that write to the mirror. */
  readonly mirror: (script: ReadonlyArray<Fault>) => Effect.Effect<void>
  /** Replaces the script of any port's calls. */
  readonly script: (port: FaultyPort, script: ReadonlyArray<Fault>) => Effect.Effect<void>
  /** Every call since the last `forget`, in order. */
  readonly calls: Effect.Effect<ReadonlyArray<PortCall>>
  /** How many entries of a port's script no call has taken yet. */
  readonly left: (port: FaultyPort) => Effect.Effect<number>
  /** Empties the scripts and the log, and takes back a death that has not come. */
  readonly forget: Effect.Effect<void>
  /** Runs an effect whose calls take nothing from the scripts and are not noted: for what a test itself arranges and looks at. */
  readonly aside: <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  /**
   * Runs a program as a process that is killed at its `call`-th call (1-based, over all ports), before or after the call took
   * effect. `None` when it was killed, `Some` of its result when it ended before. A killed process makes no further call, not
   * even from its finalizers.
   */
  readonly killedAt: <A, E, R>(
    call: number,
    moment: "before" | "after",
    program: Effect.Effect<A, E, R>
  ) => Effect.Effect<Option.Option<A>, E, R>
}>()("@lectern/domain/testing/Faults") {
  static readonly layer: Layer.Layer<Faults | FaultyCalls> = Layer.effectContext(Effect.sync(() => make()))
}

/** The other side of the script: how a port of `TestDomain` carries out a call. */
export class FaultyCalls extends Context.Service<FaultyCalls, {
  readonly call: <A, E, F>(
    port: FaultyPort,
    method: string,
    real: Effect.Effect<A, E>,
    unavailable: (retryable: boolean, cause: InjectedFault, fault: Fault) => F
  ) => Effect.Effect<A, E | F>
}>()("@lectern/domain/testing/FaultyCalls") {}

interface Process {
  calls: number
  readonly killAt: number
  readonly moment: "before" | "after"
  readonly death: Deferred.Deferred<void>
}

/** The process that a call belongs to: `null` outside of `killedAt`. */
const CurrentProcess = Context.Reference<Process | null>("@lectern/domain/testing/CurrentProcess", {
  defaultValue: () => null
})

const Aside = Context.Reference<boolean>("@lectern/domain/testing/Aside", { defaultValue: () => false })

const make = (): Context.Context<Faults | FaultyCalls> => {
  const scripts = new Map<FaultyPort, Array<Fault>>()
  let log: Array<PortCall> = []

  const script = (port: FaultyPort, faults: ReadonlyArray<Fault>) =>
    Effect.sync(() => {
      scripts.set(port, [...faults])
    })

  const perform = <A, E, F>(
    fault: Fault,
    method: string,
    real: Effect.Effect<A, E>,
    unavailable: (retryable: boolean, cause: InjectedFault, fault: Fault) => F
  ): Effect.Effect<A, E | F> => {
    const cause = () => new InjectedFault(`${method} was told to answer "${fault}"`)
    switch (fault) {
      case "ok":
        return real
      case "slow":
        return Effect.delay(real, faultTimeoutMillis)
      case "refused":
        return Effect.suspend(() => Effect.fail(unavailable(true, cause(), fault)))
      case "broken":
      case "unstorable":
        return Effect.suspend(() => Effect.fail(unavailable(false, cause(), fault)))
      case "timeout":
        return Effect.flatMap(Effect.sleep(faultTimeoutMillis), () => Effect.fail(unavailable(true, cause(), fault)))
      case "lost":
        return Effect.flatMap(real, () => Effect.fail(unavailable(true, cause(), fault)))
      case "hang":
        return Effect.never
      case "defect":
        return Effect.suspend(() => Effect.die(cause()))
    }
  }

  const die = (process: Process): Effect.Effect<never> =>
    Effect.andThen(Deferred.succeed(process.death, undefined), Effect.never)

  const calls = FaultyCalls.of({
    call: (port, method, real, unavailable) =>
      Effect.gen(function*() {
        if (yield* Aside) return yield* real
        const process = yield* CurrentProcess
        if (process !== null) {
          process.calls += 1
          if (process.calls > process.killAt) return yield* Effect.never
          if (process.calls === process.killAt) {
            log.push({ method, outcome: "died" })
            if (process.moment === "after") yield* Effect.exit(real)
            return yield* die(process)
          }
        }
        const outcome = scripts.get(port)?.shift() ?? "ok"
        log.push({ method, outcome })
        return yield* perform(outcome, method, real, unavailable)
      })
  })

  const faults = Faults.of({
    store: (faultsOfStore) => script("store", faultsOfStore),
    mirror: (faultsOfMirror) => script("mirror", faultsOfMirror),
    script,
    calls: Effect.sync(() => [...log]),
    left: (port) => Effect.sync(() => scripts.get(port)?.length ?? 0),
    forget: Effect.sync(() => {
      scripts.clear()
      log = []
    }),
    aside: (effect) => Effect.provideService(effect, Aside, true),
    killedAt: (call, moment, program) =>
      Effect.flatMap(Deferred.make<void>(), (death) =>
        Effect.raceFirst(
          Effect.asSome(Effect.provideService(program, CurrentProcess, { calls: 0, killAt: call, moment, death })),
          Effect.as(Deferred.await(death), Option.none())
        ))
  })

  return Context.make(Faults, faults).pipe(Context.add(FaultyCalls, calls))
}
