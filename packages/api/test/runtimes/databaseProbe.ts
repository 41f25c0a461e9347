/**
 * Planted behind the edge's entry for Deno, in one bundle with it: tries by every way that Deno has to reach the database and to learn its
 * address, and tells what came of it. The address is put in by the bundler, as a dependency gone bad might know it.
 */
import { connect } from "node:net"
import "../../src/edge/deno.ts"

declare const databaseHost: string
declare const databasePort: number
declare const Deno: {
  readonly connect: (address: { readonly hostname: string; readonly port: number }) => Promise<{ readonly close: () => void }>
  readonly env: { readonly get: (name: string) => string | undefined; readonly toObject: () => object }
  readonly readTextFile: (path: string) => Promise<string>
  readonly Command: new(file: string) => { readonly output: () => Promise<unknown> }
}

const attempts: Readonly<Record<string, () => Promise<unknown>>> = {
  "Deno.connect": async () => (await Deno.connect({ hostname: databaseHost, port: databasePort })).close(),
  "node:net": () =>
    new Promise((resolve, reject) => {
      const socket = connect(databasePort, databaseHost)
      socket.once("error", reject)
      socket.once("connect", () => resolve(socket.destroy()))
    }),
  "fetch": async () => fetch(`http://${databaseHost}:${databasePort}/`, { signal: AbortSignal.timeout(1_000) }),
  "WebSocket": async () => new WebSocket(`ws://${databaseHost}:${databasePort}/`),
  "DATABASE_URL": async () => Deno.env.get("DATABASE_URL"),
  "the whole environment": async () => Deno.env.toObject(),
  "a file": async () => Deno.readTextFile("/etc/hostname"),
  "a program": async () => new Deno.Command("/bin/true").output()
}

for (const [name, attempt] of Object.entries(attempts)) {
  const outcome = await attempt().then(
    () => "done",
    (fault: unknown) => fault instanceof Error ? `${fault.name} ${"code" in fault ? String(fault.code) : ""} ${fault.message}` : "?"
  )
  console.log(JSON.stringify({ probe: name, outcome }))
}
console.log(JSON.stringify({ probe: "end", outcome: "" }))
