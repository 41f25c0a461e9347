import { type MessageBatch, type MessageProvider, newUuid, ProviderUnavailable } from "@lectern/domain"
import { Effect, FileSystem, Schema } from "effect"

/**
 * A sandbox where real messages are expected: somebody would be told "sent", and nothing would be (INCIDENTS.md, 44).
 */
export class SandboxRefused extends Schema.TaggedError<SandboxRefused>()("SandboxRefused", {}) {
  override get message(): string {
    return "Cannot send messages into the sandbox in production: set SOLAPI_API_KEY, SOLAPI_API_SECRET and "
      + "SOLAPI_SENDER, and SMTP_URL and SMTP_SENDER for e-mail"
  }
}

export interface MessageProviderSandboxOptions {
  /** Where the messages are written to, one after the other, for people to read. */
  readonly file: string
  /** Whether this is a place where messages have to arrive. */
  readonly production: boolean
}

/** What stands before every text: nobody takes it for one that was sent. */
export const sandboxMark = "[샌드박스]"

const name = "샌드박스"

const page = (ticket: string, { messages, mode, subject, templateId }: MessageBatch): string =>
  messages.map(({ address, text }) =>
    [
      `${sandboxMark} 보내지 않은 메시지입니다 (${mode}, ${ticket})`,
      `받는 사람: ${address}`,
      ...(subject === null ? [] : [`제목: ${sandboxMark} ${subject}`]),
      ...(templateId === null ? [] : [`템플릿: ${templateId}`]),
      `${sandboxMark} ${text}`,
      "",
      ""
    ].join("\n")
  ).join("")

/**
 * Sends nothing: writes every message, marked, into a file. Its name and the file say what it is; in production it
 * refuses to be made.
 */
export const makeMessageProviderSandbox = (
  options: MessageProviderSandboxOptions
): Effect.Effect<MessageProvider, SandboxRefused, FileSystem.FileSystem> =>
  Effect.gen(function*() {
    if (options.production) return yield* new SandboxRefused()
    const files = yield* FileSystem.FileSystem

    const unavailable = (operation: string) => (cause: unknown) =>
      new ProviderUnavailable({ provider: name, operation, retryAfterMillis: null, cause })

    const written = Effect.flatMap(files.exists(options.file), (there) =>
      there ? files.readFileString(options.file) : Effect.succeed(""))

    return {
      name,
      reaches: false,
      maxBatch: 100,
      prepare: ({ messages }) =>
        Effect.map(newUuid, (ticket) => ({
          ticket,
          taken: messages.map(({ number }) => ({ number, providerId: `${ticket}-${number}` })),
          refused: []
        })),
      submit: Effect.fn("MessageProvider.submit")(function*({ ticket }, batch) {
        yield* files.writeFileString(options.file, page(ticket, batch), { flag: "a", mode: 0o600 }).pipe(
          Effect.mapError(unavailable("write messages into the sandbox"))
        )
        return []
      }),
      resolve: (ticket) =>
        written.pipe(
          Effect.map((text) => text.includes(ticket) ? "Sent" as const : "Withdrawn" as const),
          Effect.mapError(unavailable("read the sandbox"))
        )
    }
  })
