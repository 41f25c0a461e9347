/** A stream of events that a test writes, one piece after the other. */
import type { Reply } from "./ScriptedServer.ts"

export class ScriptedStream {
  readonly #encoder = new TextEncoder()
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined
  /** Set when the one who listened has gone. */
  isLeft = false

  /** Answers with this stream. */
  readonly reply: Reply = ({ signal }) => {
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        this.#controller = controller
      }
    })
    // As `fetch` does with a request that is aborted.
    signal.addEventListener("abort", () => {
      this.isLeft = true
      this.#controller?.error(signal.reason)
    })
    return new Response(body, { headers: { "content-type": "text/event-stream" } })
  }

  /** A text, or one byte of one. */
  write(piece: string | number): void {
    this.#controller?.enqueue(typeof piece === "string" ? this.#encoder.encode(piece) : Uint8Array.of(piece))
  }

  /** An event as the edge writes it. */
  event(name: string, data: object, id?: string): void {
    this.write(`${id === undefined ? "" : `id: ${id}\n`}event: ${name}\ndata: ${JSON.stringify(data)}\n\n`)
  }

  heartbeat(): void {
    this.write(":\n\n")
  }

  end(): void {
    this.#controller?.close()
  }
}
