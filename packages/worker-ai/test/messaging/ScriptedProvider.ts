import {
  type MessageBatch,
  type MessageProvider,
  type PreparedBatch,
  ProviderRefused,
  ProviderUnavailable,
  SubmissionDoubtful
} from "@lectern/domain"
import { Effect } from "effect"

/** What the provider does at its next submission: `lost`: sends and does not say so. `dropped`: neither. */
type Submission = "ok" | "lost" | "dropped" | "unavailable"

/** A provider in memory that says what went out, and does what the test says. */
export class ScriptedProvider {
  readonly sent: Array<string> = []
  readonly submissions: Array<Submission> = []
  prepare: "ok" | "unavailable" | "refused" = "ok"
  resolve: "ok" | "unavailable" | "forgetful" = "ok"
  refusedAddresses: ReadonlyArray<string> = []
  /** Runs while a batch is being sent. */
  onSubmit: Effect.Effect<void> = Effect.void
  readonly prepared = new Map<string, "waiting" | "sent" | "withdrawn">()
  readonly provider: MessageProvider

  constructor(maxBatch = 2, reaches = true) {
    const unavailable = (operation: string) =>
      new ProviderUnavailable({ provider: "scripted", operation, retryAfterMillis: null, cause: new Error("away") })
    const send = (ticket: string, { messages }: MessageBatch): void => {
      if (this.prepared.get(ticket) !== "waiting") return
      this.prepared.set(ticket, "sent")
      for (const { address } of messages) if (!this.refusedAddresses.includes(address)) this.sent.push(address)
    }
    this.provider = {
      name: "scripted",
      reaches,
      maxBatch,
      prepare: (batch) =>
        Effect.suspend((): Effect.Effect<PreparedBatch, ProviderUnavailable | ProviderRefused> => {
          if (this.prepare === "unavailable") return Effect.fail(unavailable("prepare"))
          if (this.prepare === "refused") {
            return Effect.fail(new ProviderRefused({ provider: "scripted", operation: "prepare", code: "1030" }))
          }
          const ticket = `T${this.prepared.size + 1}`
          this.prepared.set(ticket, "waiting")
          const bad = batch.messages.filter(({ address }) => this.refusedAddresses.includes(address))
          return Effect.succeed({
            ticket,
            taken: batch.messages
              .filter((message) => !bad.includes(message))
              .map(({ number }) => ({ number, providerId: `${ticket}-${number}` })),
            refused: bad.map(({ number }) => ({ number, reason: "3032" }))
          })
        }),
      submit: ({ ticket }, batch) =>
        Effect.suspend((): Effect.Effect<ReadonlyArray<never>, ProviderUnavailable | SubmissionDoubtful> => {
          const doubtful = new SubmissionDoubtful({ provider: "scripted", ticket, cause: new Error("silence") })
          switch (this.submissions.shift() ?? "ok") {
            case "ok":
              send(ticket, batch)
              return Effect.as(this.onSubmit, [])
            case "lost":
              send(ticket, batch)
              return Effect.fail(doubtful)
            case "dropped":
              return Effect.fail(doubtful)
            case "unavailable":
              return Effect.fail(unavailable("submit"))
          }
        }),
      resolve: (ticket) =>
        Effect.suspend(() => {
          if (this.resolve === "unavailable") return Effect.fail(unavailable("resolve"))
          if (this.resolve === "forgetful") return Effect.succeed("Unknown" as const)
          if (this.prepared.get(ticket) === "sent") return Effect.succeed("Sent" as const)
          this.prepared.set(ticket, "withdrawn")
          return Effect.succeed("Withdrawn" as const)
        })
    }
  }
}
