/** Pages for a real browser, each one program of ours. */
import { Effect } from "effect"
import { build } from "esbuild"
import { createServer } from "node:http"
import { fileURLToPath } from "node:url"
import type { BrowserContext, Page } from "playwright-core"
import { token } from "../edge/edgeSubject.ts"

/** Serves the page of a program in `pages/` until the end of the scope, and returns its address. */
export const servedPage = Effect.fnUntraced(function*(
  program: "plain" | "react" | "tanstackQuery",
  { edgePort, hasEvents = true }: { readonly edgePort: number; readonly hasEvents?: boolean }
) {
  const { outputFiles } = yield* Effect.promise(() =>
    build({
      entryPoints: [fileURLToPath(new URL(`pages/${program}.ts`, import.meta.url))],
      define: {
        edgeUrl: JSON.stringify(`http://127.0.0.1:${edgePort}`),
        edgeToken: JSON.stringify(token),
        hasEvents: String(hasEvents),
        // Strict mode is one of development.
        "process.env.NODE_ENV": `"development"`
      },
      bundle: true,
      format: "esm",
      minify: true,
      write: false
    })
  )
  const script = outputFiles[0]?.text.replaceAll("</script", "<\\/script") ?? ""
  const page = `<!doctype html><meta charset="utf-8"><main></main><script type="module">${script}</script>`
  const server = yield* Effect.acquireRelease(
    Effect.sync(() =>
      createServer((_, response) => void response.writeHead(200, { "content-type": "text/html" }).end(page))
    ),
    (one) =>
      Effect.sync(() => {
        one.closeAllConnections()
        one.close()
      })
  )
  yield* Effect.callback<void>((resume) => {
    server.listen(0, "127.0.0.1", () => resume(Effect.void))
  })
  const address = server.address()
  if (address === null || typeof address === "string") return yield* Effect.die("the page's server has no port")
  return `http://127.0.0.1:${address.port}/`
})

export const openTab = (browser: BrowserContext, url: string) =>
  Effect.promise(async () => {
    const tab = await browser.newPage()
    await tab.goto(url)
    return tab
  })

/** As the browser does when another tab covers this one, or uncovers it. */
export const show = (tab: Page, state: DocumentVisibilityState) =>
  Effect.promise(() =>
    tab.evaluate(`
      Object.defineProperty(document, "visibilityState", { configurable: true, get: () => "${state}" })
      document.dispatchEvent(new Event("visibilitychange"))
    `)
  )
