/** A server by script: what it is asked, and what it answers. */
import type { FakeClock } from "./FakeClock.ts"

export interface Asked {
  readonly at: number
  readonly path: string
  /** The path and its query. */
  readonly url: string
  readonly headers: Headers
  readonly signal: AbortSignal
}

export type Reply = (asked: Asked) => Response | Promise<Response>

export const json = (body: unknown, init: ResponseInit = {}): Response => Response.json(body, init)

export const videoBody = (status: string, percent: number | null = null, more: object = {}) => ({
  id: 42,
  status,
  state: status,
  progress: percent ?? 0,
  encoding_progress: percent,
  encoding_remaining_seconds: null,
  encoding_step_index: null,
  encoding_step_total: null,
  encoding_step_name: null,
  encoding_step_percent: null,
  hls_path: null,
  duration: null,
  error_reason: null,
  ...more
})

export const video = (status: string, percent: number | null = null, more: object = {}): Response =>
  json(videoBody(status, percent, more))

/** Moves with every answer, for as long as it is asked. */
export const movingVideo = (): Reply => {
  let answers = 0
  const step = { encoding_step_index: 4, encoding_step_total: 7, encoding_step_name: "인코딩" }
  return () => video("PROCESSING", 50, { ...step, encoding_step_percent: answers++ % 100 })
}

export const unknown = (): Response => video("UNKNOWN", null, { message: "진행 정보가 없습니다" })

export class ScriptedServer {
  readonly asked: Array<Asked> = []
  readonly #clock: FakeClock
  reply: Reply

  constructor(clock: FakeClock, reply: Reply) {
    this.#clock = clock
    this.reply = reply
  }

  /** One answer after the other; the last one again and again. */
  static inTurn(clock: FakeClock, ...replies: ReadonlyArray<Reply>): ScriptedServer {
    let turn = 0
    return new ScriptedServer(clock, (asked) => {
      const reply = replies[Math.min(turn, replies.length - 1)]
      turn += 1
      if (reply === undefined) throw new Error("a script needs an answer")
      return reply(asked)
    })
  }

  readonly fetch: typeof fetch = async (input, init) => {
    const request = new Request(input, init)
    const { pathname, search } = new URL(request.url)
    const asked = {
      at: this.#clock.now(),
      path: pathname,
      url: pathname + search,
      headers: request.headers,
      signal: request.signal
    }
    this.asked.push(asked)
    return this.reply(asked)
  }

  /** Since the first question. */
  get times(): ReadonlyArray<number> {
    const first = this.asked[0]?.at ?? 0
    return this.asked.map(({ at }) => at - first)
  }

  get urls(): ReadonlyArray<string> {
    return this.asked.map(({ url }) => url)
  }

  get paths(): ReadonlyArray<string> {
    return this.asked.map(({ path }) => path)
  }
}
