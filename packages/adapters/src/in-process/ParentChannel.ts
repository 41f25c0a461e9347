import { Context, Effect, Layer, Option, Schema } from "effect"
import { PortAnswer, type PortFailure, type PortQuestion, type PortRequest } from "./PortProtocol.ts"

/** There is no channel to a parent process, or it broke. */
export class IpcUnavailable extends Schema.TaggedError<IpcUnavailable>()("IpcUnavailable", { detail: Schema.String }) {
  override get message(): string {
    return `Cannot ask the parent process: ${this.detail}`
  }
}

/** The parent answered with an error; one of the database has its SQLSTATE in `code`. */
export class ParentRefused extends Error {
  readonly code: string | undefined
  readonly constraint: string | undefined
  constructor(failure: PortFailure) {
    super(failure.message)
    this.name = "ParentRefused"
    this.code = failure.code
    this.constraint = failure.constraint
  }
}

interface Pending {
  readonly resolve: (value: unknown) => void
  readonly reject: (cause: IpcUnavailable | ParentRefused) => void
}

const decodeAnswer = Schema.decodeUnknownOption(PortAnswer)

/**
 * The IPC channel of this process to its parent. It keeps the process alive only while a question is open.
 */
export class ParentChannel extends Context.Service<ParentChannel, {
  /** Rejects with `IpcUnavailable` when the channel is gone and with `ParentRefused` when the parent says no. */
  readonly ask: (request: PortRequest) => Promise<unknown>
  /** Stays apart from every other number of this process. */
  readonly newSession: () => number
}>()("@lectern/adapters/ParentChannel") {
  static readonly layer: Layer.Layer<ParentChannel, IpcUnavailable> = Layer.effect(
    ParentChannel,
    Effect.gen(function*() {
      if (process.send === undefined || !process.connected) {
        return yield* new IpcUnavailable({ detail: "this process has no channel" })
      }
      const pending = new Map<number, Pending>()
      let lastId = 0
      let lastSession = 0

      const settle = (id: number): Pending | undefined => {
        const found = pending.get(id)
        pending.delete(id)
        if (pending.size === 0) process.channel?.unref()
        return found
      }

      const onMessage = (message: unknown): void => {
        const answer = decodeAnswer(message)
        if (Option.isNone(answer)) return
        const waiting = settle(answer.value.id)
        if (answer.value._tag === "Success") waiting?.resolve(answer.value.value)
        else waiting?.reject(new ParentRefused(answer.value.failure))
      }

      const breakAll = (detail: string): void => {
        for (const id of pending.keys()) settle(id)?.reject(new IpcUnavailable({ detail }))
      }
      const onDisconnect = (): void => breakAll("the parent has gone")

      yield* Effect.acquireRelease(
        Effect.sync(() => {
          process.on("message", onMessage)
          process.on("disconnect", onDisconnect)
          process.channel?.unref()
        }),
        () =>
          Effect.sync(() => {
            process.off("message", onMessage)
            process.off("disconnect", onDisconnect)
            breakAll("the channel was closed")
          })
      )

      return ParentChannel.of({
        newSession: () => {
          lastSession += 1
          return lastSession
        },
        ask: (request) =>
          new Promise((resolve, reject) => {
            if (process.send === undefined || !process.connected) {
              reject(new IpcUnavailable({ detail: "the parent has gone" }))
              return
            }
            lastId += 1
            const id = lastId
            const question: PortQuestion = { channel: "lectern/ports", id, request }
            pending.set(id, { resolve, reject })
            process.channel?.ref()
            process.send(question, undefined, undefined, (cause) => {
              if (cause !== null) settle(id)?.reject(new IpcUnavailable({ detail: cause.message }))
            })
          })
      })
    })
  )
}
