import {
  createProgressClient,
  type ProgressClientOptions,
  type ProgressSnapshot,
  type ProgressTrouble,
  type ProgressWatch
} from "../../src/client/index.ts"
import { FakeClock } from "./FakeClock.ts"
import { FakePage } from "./FakePage.ts"
import { type Reply, ScriptedServer } from "./ScriptedServer.ts"

/** A client with a clock, a page and a server of its own, which polls, without jitter. */
export const clientUnderTest = (replies: ReadonlyArray<Reply>, options: Partial<ProgressClientOptions> = {}) => {
  const clock = new FakeClock()
  const page = new FakePage()
  const server = ScriptedServer.inTurn(clock, ...replies)
  const client = createProgressClient({
    baseUrl: "https://edge.school.example",
    token: "a token",
    fetch: server.fetch,
    clock,
    random: () => 0,
    page,
    tabs: null,
    events: false,
    ...options
  })
  return { client, clock, page, server }
}

/** What a watch told by its callbacks, in order. */
export const listener = () => {
  const told: Array<string> = []
  return {
    told,
    onProgress: ({ percent, status }: ProgressSnapshot) => void told.push(`${status} ${percent}`),
    onTerminal: ({ outcome }: ProgressSnapshot) => void told.push(outcome),
    onError: ({ reason }: { readonly reason: string }) => void told.push(reason),
    onTrouble: ({ reason, retryInMillis, status }: ProgressTrouble) =>
      void told.push(`${reason}${status === null ? "" : ` ${status}`}: again in ${retryInMillis}`)
  }
}

export const allOf = async (watch: ProgressWatch): Promise<ReadonlyArray<ProgressSnapshot>> => {
  const all: Array<ProgressSnapshot> = []
  for await (const snapshot of watch) all.push(snapshot)
  return all
}
