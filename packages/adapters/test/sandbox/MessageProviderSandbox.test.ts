import { NodeServices } from "@effect/platform-node"
import { assert, layer } from "@effect/vitest"
import { LedgerMessage, type MessageBatch } from "@lectern/domain"
import { Effect, FileSystem } from "effect"
import { makeMessageProviderSandbox, sandboxMark } from "../../src/sandbox/index.ts"

const batch: MessageBatch = {
  mode: "lms",
  subject: "안내",
  templateId: null,
  messages: ["01011112222", "01033334444"].map((address, index) =>
    new LedgerMessage({
      number: index + 1,
      address,
      text: `${index} 님`,
      state: "pending",
      ticket: null,
      providerId: null,
      reason: null
    })
  )
}

layer(NodeServices.layer)("The sandbox for messages", (it) => {
  it.effect("writes every message where one can look, each marked, and knows what it wrote", () =>
    Effect.gen(function*() {
      const files = yield* FileSystem.FileSystem
      const file = `${yield* files.makeTempDirectoryScoped()}/messages.txt`
      const provider = yield* makeMessageProviderSandbox({ file, production: false })
      const prepared = yield* provider.prepare(batch)
      assert.strictEqual(yield* provider.resolve(prepared.ticket), "Withdrawn")
      assert.deepStrictEqual(yield* provider.submit(prepared, batch), [])
      assert.strictEqual(yield* provider.resolve(prepared.ticket), "Sent")
      const text = yield* files.readFileString(file)
      for (const { address, text: own } of batch.messages) {
        assert.include(text, `받는 사람: ${address}`)
        assert.include(text, `${sandboxMark} ${own}`)
      }
      assert.strictEqual(text.split(`${sandboxMark} 보내지 않은 메시지입니다`).length - 1, 2)
    }))

  it.effect("refuses to stand in for a provider in production", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(makeMessageProviderSandbox({ file: "/nowhere/messages.txt", production: true }))
      assert.strictEqual(error._tag, "SandboxRefused")
      assert.include(error.message, "SOLAPI_API_KEY")
    }))
})
