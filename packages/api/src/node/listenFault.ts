import { createServer } from "node:net"

/**
 * Why nobody can listen there; `null` where one can. For a runtime that would say it in its own way. A port that is
 * free now may be taken a moment later: then the runtime says it after all.
 */
export const listenFault = ({ host, port }: { readonly host: string; readonly port: number }): Promise<string | null> =>
  new Promise((resolve) => {
    const server = createServer()
    server.once("error", (fault) => resolve(`Cannot listen on ${host}:${port}: ${fault.message}`))
    server.listen(port, host, () => server.close(() => resolve(null)))
  })
