import type { MirrorEntry, MirrorWrite } from "@lectern/domain"
import { Effect, FiberMap, Option, Predicate, Queue, Schema, type Scope } from "effect"
import type { SqlError } from "effect/sql/SqlError"
import type { ChildProcess } from "node:child_process"
import type { SqlSession } from "../postgres/SqlSession.ts"
import { type PortAnswer, type PortFailure, PortQuestion } from "./PortProtocol.ts"

/** What of this process a child may use. */
export interface ChildPorts {
  /** `PgliteHost`'s `acquire`. */
  readonly sql?: Effect.Effect<SqlSession, SqlError, Scope.Scope>
  /** `MirrorMemory`'s `write`. */
  readonly mirror?: (entries: ReadonlyArray<MirrorEntry>) => Effect.Effect<MirrorWrite>
}

/** How long a child may hold the database without a word: it has no better claim than everybody who waits for it. */
const sessionIdleWithin = "30 seconds"

/** Questions of one child that wait here. A child asks and waits; more than this is a fault of its own. */
const maxQuestions = 1_000

interface Query {
  readonly id: number
  readonly text: string
  readonly values: ReadonlyArray<unknown>
  readonly rowMode: "object" | "array"
}

const decodeQuestion = Schema.decodeUnknownOption(PortQuestion)

const textField = (cause: unknown, field: string): string | undefined => {
  if (!Predicate.hasProperty(cause, field)) return undefined
  const value = cause[field]
  return typeof value === "string" ? value : undefined
}

const failureOf = (cause: unknown): PortFailure => {
  const code = textField(cause, "code")
  const constraint = textField(cause, "constraint")
  return {
    message: textField(cause, "message") ?? String(cause),
    ...(code === undefined ? {} : { code }),
    ...(constraint === undefined ? {} : { constraint })
  }
}

/**
 * Answers what a child process asks for over its IPC channel, for as long as the scope is open.
 *
 * A child's turn at the database ends when it says so, when it falls silent, or when it dies; whatever it left open is rolled
 * back by the host.
 */
export const serveChildPorts = (child: ChildProcess, ports: ChildPorts): Effect.Effect<void, never, Scope.Scope> =>
  Effect.gen(function*() {
    const inbox = yield* Queue.dropping<PortQuestion | "Disconnected">(maxQuestions)
    const turns = yield* FiberMap.make<number>()
    const queries = new Map<number, Queue.Queue<Query>>()

    const answer = (message: PortAnswer): void => {
      // A child that is gone needs no answer; its disconnection ends what it holds.
      if (child.connected) child.send(message, () => undefined)
    }
    const succeed = (id: number, value: unknown): void =>
      answer({ channel: "lectern/ports", id, _tag: "Success", value })
    const fail = (id: number, cause: unknown): void =>
      answer({ channel: "lectern/ports", id, _tag: "Failure", failure: failureOf(cause) })

    const turn = (id: number, session: number, acquire: NonNullable<ChildPorts["sql"]>, waiting: Queue.Queue<Query>) =>
      Effect.scoped(Effect.gen(function*() {
        const database = yield* acquire
        yield* Effect.sync(() => succeed(id, null))
        while (true) {
          const next = yield* Effect.timeoutOption(Queue.take(waiting), sessionIdleWithin)
          if (Option.isNone(next)) {
            return yield* Effect.logWarning("A child process lost its turn at the database: it fell silent", { pid: child.pid })
          }
          const query = next.value
          yield* Effect.tryPromise({
            try: () => database.query(query.text, query.values, query.rowMode),
            catch: (cause) => cause
          }).pipe(
            Effect.match({
              onSuccess: ({ rows }) => succeed(query.id, { rows }),
              onFailure: (cause) => fail(query.id, cause)
            })
          )
        }
      })).pipe(
        Effect.catchTag("SqlError", (error) => Effect.sync(() => fail(id, error.cause))),
        Effect.ensuring(Effect.sync(() => {
          if (queries.get(session) === waiting) queries.delete(session)
        }))
      )

    const handle = Effect.fnUntraced(function*({ id, request }: PortQuestion) {
      switch (request._tag) {
        case "Acquire": {
          if (ports.sql === undefined) return fail(id, new Error("The parent serves no database"))
          const waiting = yield* Queue.unbounded<Query>()
          queries.set(request.session, waiting)
          yield* FiberMap.run(turns, request.session, turn(id, request.session, ports.sql, waiting))
          return
        }
        case "Query": {
          const waiting = queries.get(request.session)
          if (waiting === undefined) return fail(id, new Error("The turn at the parent's database is over"))
          yield* Queue.offer(waiting, { id, text: request.text, values: request.values, rowMode: request.rowMode })
          return
        }
        case "Release":
          yield* FiberMap.remove(turns, request.session)
          return succeed(id, null)
        case "Mirror": {
          if (ports.mirror === undefined) return fail(id, new Error("The parent serves no mirror"))
          return succeed(id, yield* ports.mirror(request.entries))
        }
      }
    })

    const onMessage = (message: unknown): void => {
      const question = decodeQuestion(message)
      if (Option.isNone(question)) return
      if (!Queue.offerUnsafe(inbox, question.value)) fail(question.value.id, new Error("Too many questions at once"))
    }
    const onDisconnect = (): void => void Queue.offerUnsafe(inbox, "Disconnected")

    yield* Effect.acquireRelease(
      Effect.sync(() => {
        child.on("message", onMessage)
        child.on("disconnect", onDisconnect)
        if (!child.connected) onDisconnect()
      }),
      () =>
        Effect.sync(() => {
          child.off("message", onMessage)
          child.off("disconnect", onDisconnect)
        })
    )
    yield* Effect.forkScoped(Effect.forever(
      Effect.flatMap(Queue.take(inbox), (question) => question === "Disconnected" ? FiberMap.clear(turns) : handle(question))
    ))
  })
