import type { MessageSettings, SolapiSettings } from "@lectern/adapters/environment"
import { makeMessageProviderSandbox, type SandboxRefused } from "@lectern/adapters/sandbox"
import { makeMessageProviderSmtp } from "@lectern/adapters/smtp"
import { makeMessageProviderSolapi } from "@lectern/adapters/solapi"
import { type MessageProvider, MessageProviders, ProviderRefused } from "@lectern/domain"
import { Effect, type FileSystem, Layer, Option } from "effect"

/** Where nobody carries a kind of message: a mailing by it ends at once, and says so. */
const nobody = (missing: string): MessageProvider => ({
  name: "nobody",
  reaches: false,
  maxBatch: 1,
  prepare: () =>
    Effect.fail(
      new ProviderRefused({ provider: "nobody", operation: "send messages", code: `${missing} is not set` })
    ),
  submit: () => Effect.succeed([]),
  resolve: () => Effect.succeed("Unknown")
})

/** For a process that carries no messages. */
export const noMessageProviders: Layer.Layer<MessageProviders> = Layer.succeed(MessageProviders, {
  phone: nobody("SOLAPI_API_KEY"),
  email: nobody("SMTP_URL")
})

export const solapiProvider = ({ baseUrl, kakaoChannel, ...account }: SolapiSettings): MessageProvider =>
  makeMessageProviderSolapi({
    ...account,
    ...(baseUrl === null ? {} : { baseUrl }),
    ...(kakaoChannel === null ? {} : { kakaoChannel })
  })

/** Who sends what, by the settings; the sandbox, which writes into `sandboxFile`, for what nobody sends. */
export const messageProviders = (
  settings: MessageSettings,
  sandboxFile: string
): Layer.Layer<MessageProviders, SandboxRefused, FileSystem.FileSystem> =>
  Layer.effect(
    MessageProviders,
    Effect.gen(function*() {
      const sandbox = makeMessageProviderSandbox({ file: sandboxFile, production: settings.production })
      const phone = yield* Option.match(settings.solapi, {
        onNone: () => sandbox,
        onSome: (solapi) => Effect.succeed(solapiProvider(solapi))
      })
      const email = yield* Option.match(settings.smtp, {
        onNone: () => settings.production ? Effect.succeed(nobody("SMTP_URL")) : sandbox,
        onSome: (smtp) => Effect.succeed(makeMessageProviderSmtp(smtp))
      })
      yield* Effect.logInfo("Messages are sent by", { texts: phone.name, mails: email.name })
      return { phone, email }
    })
  )
