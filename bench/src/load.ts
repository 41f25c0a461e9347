/**
 * The load: 64 connections, each asking again as soon as it has its answer, for one of 200 videos: the first of them twice
 * as often as the second, three times as often as the third (Zipf's law), as pollers are spread over the lectures of a
 * school. A program of its own, so that it takes no time from the server's core. Raw sockets: an HTTP client of Node is
 * slower than the servers.
 *
 *     node load.ts PORT SECONDS TOKEN
 *
 * Prints one line of JSON, and fails for any answer that is not 200.
 */
import { connect } from "node:net"
import { videos } from "./videos.ts"

const connections = 64

const port = Number(process.argv[2])
const seconds = Number(process.argv[3])
const token = process.argv[4] ?? ""

const requests = Array.from({ length: videos }, (_, index) =>
  Buffer.from(
    `GET /api/v1/media/videos/${index + 1}/progress/ HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n` +
      `User-Agent: lectern-bench\r\nAccept: application/json\r\nOrigin: https://school.example\r\n` +
      `Authorization: Bearer ${token}\r\n\r\n`
  ))

/** Milliseconds of every answer. */
const latencies: Array<number> = []
const end = performance.now() + seconds * 1000
let seed = 1

/** Questions that are drawn from. */
const places = 10_000
const harmonic = requests.reduce((sum, _, index) => sum + 1 / (index + 1), 0)
const drawn = requests.flatMap((request, index) =>
  Array.from({ length: Math.max(1, Math.round(places / (index + 1) / harmonic)) }, () => request))

const nextRequest = (): Buffer => {
  // The same sequence for every server.
  seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648
  return drawn[seed % drawn.length] ?? Buffer.alloc(0)
}

/** Bytes of the first answer in the text; 0 while it is not whole. */
const answerLength = (text: string): number => {
  const head = text.indexOf("\r\n\r\n")
  if (head === -1) return 0
  const length = /\r\ncontent-length: (\d+)/i.exec(text.slice(0, head + 2))?.[1]
  const total = head + 4 + Number(length ?? Number.NaN)
  if (Number.isNaN(total)) throw new Error(`An answer has no length: ${text}`)
  return text.length >= total ? total : 0
}

const runConnection = (): Promise<void> =>
  new Promise((resolve, reject) => {
    const socket = connect({ host: "127.0.0.1", port, noDelay: true })
    let received = ""
    let sentAt = 0
    const ask = (): void => {
      sentAt = performance.now()
      socket.write(nextRequest())
    }
    // One character for each byte, so that the length can be compared.
    socket.setEncoding("latin1")
    socket.on("connect", ask)
    socket.on("error", reject)
    socket.on("close", () => reject(new Error("The server closed a connection")))
    socket.on("data", (chunk: string) => {
      received = received === "" ? chunk : received + chunk
      const length = answerLength(received)
      if (length === 0) return
      if (!received.startsWith("HTTP/1.1 200") || !received.includes(`"PROCESSING"`)) {
        reject(new Error(`The server answered ${received}`))
        return
      }
      received = received.slice(length)
      const now = performance.now()
      latencies.push(now - sentAt)
      if (now < end) ask()
      else {
        resolve()
        socket.removeAllListeners("close")
        socket.destroy()
      }
    })
  })

const startedAt = performance.now()
await Promise.all(Array.from({ length: connections }, runConnection))
const took = (performance.now() - startedAt) / 1000
latencies.sort((a, b) => a - b)
const { length } = latencies
const quantile = (part: number): number => latencies[Math.min(length - 1, Math.floor(length * part))] ?? 0
console.log(JSON.stringify({ requests: length, perSecond: length / took, p50: quantile(0.5), p99: quantile(0.99) }))
