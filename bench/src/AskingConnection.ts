/**
 * One connection that asks and waits for its answer, over and over: a raw socket, since a client of Node's is slower
 * than the servers.
 */
import { connect, type Socket } from "node:net"

export interface TimedAnswer {
  readonly status: number
  /** The body, with one character for each byte. */
  readonly body: string
  /** Milliseconds from the question to the last byte of the answer. */
  readonly millis: number
}

export interface AskingConnection {
  /** Rejects where the connection is closed before the answer is whole. */
  readonly ask: (path: string, token: string) => Promise<TimedAnswer>
  readonly close: () => void
}

interface Waiting {
  readonly askedAt: number
  readonly resolve: (answer: TimedAnswer) => void
  readonly reject: (fault: Error) => void
}

/** The answer at the beginning of the text, and what comes after it; `null` while it is not whole. */
const takeAnswer = (text: string): { readonly status: number; readonly body: string; readonly rest: string } | null => {
  const head = text.indexOf("\r\n\r\n")
  if (head === -1) return null
  const length = Number(/\r\ncontent-length: (\d+)/i.exec(text.slice(0, head + 2))?.[1])
  if (Number.isNaN(length)) throw new Error(`An answer has no length: ${text.slice(0, head)}`)
  const end = head + 4 + length
  return text.length < end
    ? null
    : { status: Number(text.slice(9, 12)), body: text.slice(head + 4, end), rest: text.slice(end) }
}

const asking = (socket: Socket, host: string): AskingConnection => {
  let received = ""
  let waiting: Waiting | undefined
  const fail = (fault: Error): void => {
    waiting?.reject(fault)
    waiting = undefined
  }
  socket.setEncoding("latin1")
  socket.on("error", fail)
  socket.on("close", () => fail(new Error("The server closed a connection")))
  socket.on("data", (chunk: string) => {
    received += chunk
    const answer = takeAnswer(received)
    if (answer === null || waiting === undefined) return
    const { askedAt, resolve } = waiting
    received = answer.rest
    waiting = undefined
    resolve({ status: answer.status, body: answer.body, millis: performance.now() - askedAt })
  })
  return {
    ask: (path, token) =>
      new Promise((resolve, reject) => {
        if (waiting !== undefined) throw new Error("A connection asks one question at a time")
        if (socket.destroyed) throw new Error("The server closed a connection")
        waiting = { askedAt: performance.now(), resolve, reject }
        socket.write(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer ${token}\r\n\r\n`)
      }),
    close: () => void socket.destroy()
  }
}

/** To a port of this machine. */
export const openAskingConnection = (port: number): Promise<AskingConnection> =>
  new Promise((resolve, reject) => {
    const socket = connect({ host: "127.0.0.1", port, noDelay: true })
    socket.once("error", reject)
    socket.once("connect", () => {
      socket.off("error", reject)
      resolve(asking(socket, `127.0.0.1:${port}`))
    })
  })
