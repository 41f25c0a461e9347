/** What the servers on Fastify have in common: pino as it comes, and `jose` for the token as its users have it. */
import { fastify } from "fastify"
import { jwtVerify } from "jose"
import { announce, plain, secret } from "../serverProcess.ts"

/** Serves what `answer` gives for a video's id. */
export const serveProgress = async (answer: (id: string) => Promise<unknown>): Promise<void> => {
  const key = await crypto.subtle.importKey(
    "raw",
    new TextEncoder().encode(secret),
    { name: "HMAC", hash: "SHA-256" },
    false,
    ["verify"]
  )
  const app = fastify({ logger: !plain })
  if (!plain) app.addHook("onRequest", async (request) => {
    await jwtVerify((request.headers.authorization ?? "").slice("Bearer ".length), key, { algorithms: ["HS256"] })
  })
  app.get<{ Params: { id: string } }>("/api/v1/media/videos/:id/progress/", ({ params }) => answer(params.id))
  await app.listen({ port: 0, host: "127.0.0.1" })
  announce(app.server.address())
}
