/** The process of `FauxqsServer`: `node main.ts PORT DATA_FOLDER`. */
import { startFauxqs } from "fauxqs"
import { Server } from "node:net"

const [port, dataDir] = process.argv.slice(2)
if (port === undefined || dataDir === undefined) throw new Error("Cannot start fauxqs: PORT and DATA_FOLDER are missing")

const isPortAndHost = (options: unknown): options is { port: unknown; host: unknown } =>
  typeof options === "object" && options !== null && "port" in options && "host" in options

// fauxqs 2.4.1 listens on all interfaces and has no option for it; a test's server is nobody else's business.
// oxlint-disable-next-line typescript/unbound-method -- the proxy hands the receiver on
Server.prototype.listen = new Proxy(Server.prototype.listen, {
  apply: (listen, server, [options, ...rest]: Array<unknown>): unknown =>
    Reflect.apply(listen, server, [isPortAndHost(options) ? { ...options, host: "127.0.0.1" } : options, ...rest])
})

await startFauxqs({ port: Number(port), dataDir, logger: false })
