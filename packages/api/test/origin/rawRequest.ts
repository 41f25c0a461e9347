import { Effect } from "effect"
import { connect } from "node:net"

/**
 * Sends text over a socket as it stands, which fetch would not, and answers what came back until the server closed or
 * the head was in.
 */
export const rawRequest = (url: string, lines: ReadonlyArray<string>, body = ""): Effect.Effect<string> =>
  Effect.callback<string>((resume) => {
    const { hostname, port } = new URL(url)
    const socket = connect(Number(port), hostname)
    let received = ""
    const done = () => {
      socket.destroy()
      resume(Effect.succeed(received))
    }
    socket.setEncoding("utf8")
    socket.on("data", (chunk: string) => {
      received += chunk
      const headEnd = received.indexOf("\r\n\r\n")
      if (headEnd === -1) return
      const length = Number(/content-length: (\d+)/i.exec(received.slice(0, headEnd))?.[1] ?? 0)
      if (Buffer.byteLength(received.slice(headEnd + 4)) >= length) done()
    })
    socket.on("close", done)
    socket.on("error", done)
    socket.write(`${lines.join("\r\n")}\r\n\r\n${body}`)
    return Effect.sync(() => socket.destroy())
  })
