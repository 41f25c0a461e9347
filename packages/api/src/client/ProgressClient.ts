import { type Clock, systemClock } from "./Clock.ts"
import { documentVisibility, type PageVisibility } from "./PageVisibility.ts"
import { sharedInPage } from "./pageSharing.ts"
import { makeProgressSource } from "./ProgressSource.ts"
import { type ProgressWatch, startWatch, type WatchOptions } from "./ProgressWatch.ts"
import { type Subject, subjectKey } from "./Subject.ts"
import { tabName } from "./tabName.ts"
import { sharedBetweenTabs, type Tabs, webTabs } from "./tabSharing.ts"

export interface ProgressClientOptions {
  /**
   * Where the progress endpoints are, such as `https://edge.school.example`; a path in front of `/api/v1` may be in it.
   */
  readonly baseUrl: string
  /** Where the details are, asked when the edge knows nothing; `baseUrl` by default. */
  readonly originUrl?: string
  /** The token itself, or what gives the one that is valid now: it is called before every request. */
  readonly token: string | (() => string | Promise<string>)
  readonly fetch?: typeof fetch
  readonly clock?: Clock
  /** 0 up to 1, for the jitter. */
  readonly random?: () => number
  /** The document's by default. */
  readonly page?: PageVisibility
  /**
   * `null`: each tab polls for itself. By default tabs share where there is a document, Web Locks and BroadcastChannel.
   */
  readonly tabs?: Tabs | null
  /** `false`: polls alone. By default a stream of events is tried first, and polling takes over while there is none. */
  readonly events?: boolean
}

export interface ProgressClient {
  /**
   * Watches until the subject has succeeded or failed, the watch is stopped, or the server refuses. Starts at once.
   *
   * All watches of a page share one stream of events or one poller, and those of one subject between tabs too; it rests
   * while the page is hidden.
   */
  readonly watch: (subject: Subject, options?: WatchOptions) => ProgressWatch
}

/**
 * The client of the progress endpoints, for browsers, Deno, workerd and Node.
 *
 * @example
 * ```ts
 * import { createProgressClient } from "@lectern/api/client"
 *
 * const client = createProgressClient({ baseUrl: "https://edge.school.example", token: "a token" })
 *
 * for await (const { percent, status } of client.watch({ video: 42 })) {
 *   console.log(status, percent)
 * }
 * // PROCESSING 50
 * // READY 100
 * ```
 *
 * @example
 * ```ts
 * import { createProgressClient } from "@lectern/api/client"
 *
 * const client = createProgressClient({ baseUrl: "https://edge.school.example", token: async () => "a token" })
 *
 * client.watch({ job: "import-1" }, {
 *   onProgress: ({ percent, status }) => console.log(status, percent),
 *   onTerminal: ({ error, outcome }) => console.log(outcome, error),
 *   onError: ({ reason }) => console.log("no more news:", reason)
 * })
 * // RUNNING 40
 * // DONE 40
 * // failed 3행: 전화번호가 올바르지 않습니다
 * ```
 */
export const createProgressClient = (options: ProgressClientOptions): ProgressClient => {
  const baseUrl = options.baseUrl.replace(/\/+$/, "")
  const { clock = systemClock, token } = options
  const currentToken = async (): Promise<string> => typeof token === "string" ? token : token()
  const source = makeProgressSource({
    baseUrl,
    originUrl: options.originUrl?.replace(/\/+$/, "") ?? baseUrl,
    token: currentToken,
    // Looked up at each call, and called on nothing: a browser's own refuses to be called on an object of ours.
    fetch: options.fetch ?? ((input, init) => fetch(input, init)),
    clock,
    random: options.random ?? Math.random,
    events: options.events !== false
  })
  // A server's watches may be for many tenants, and it has no tabs.
  const tabs = options.tabs === undefined ? (typeof document === "undefined" ? null : webTabs()) : options.tabs
  const join = sharedInPage(
    tabs === null ? source : sharedBetweenTabs(
      source,
      tabs,
      clock,
      async (subject) => tabName(baseUrl, await currentToken(), subjectKey(subject))
    ),
    options.page ?? documentVisibility()
  )
  return { watch: (subject, watchOptions = {}) => startWatch(join, subject, watchOptions) }
}
