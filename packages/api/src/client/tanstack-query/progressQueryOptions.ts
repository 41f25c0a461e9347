import {
  type ProgressClient,
  type ProgressSnapshot,
  type ProgressWatchError,
  type Subject,
  subjectKey
} from "@lectern/api/client"
import type { Query, QueryFunctionContext } from "@tanstack/query-core"

export type ProgressQueryKey = readonly ["lectern", "progress", string]

type ProgressQuery = Query<ProgressSnapshot, Error, ProgressSnapshot, ProgressQueryKey>

/**
 * Options for `useQuery` and its like: `data` follows the watch, `fetchStatus` is `fetching` until its end. The query
 * does not ask again on its own: the client paces, retries and shares the polls.
 *
 * @example
 * ```ts
 * import { createProgressClient } from "@lectern/api/client"
 * import { progressQueryOptions } from "@lectern/api/client/tanstack-query"
 * import { QueryClient } from "@tanstack/query-core"
 *
 * const client = createProgressClient({ baseUrl: "https://edge.school.example", token: "a token" })
 *
 * const { status } = await new QueryClient().fetchQuery(progressQueryOptions(client, { video: 42 }))
 * console.log(status)
 * // READY
 * ```
 */
export const progressQueryOptions = (client: ProgressClient, subject: Subject) => {
  const queryKey: ProgressQueryKey = ["lectern", "progress", subjectKey(subject)]
  return {
    queryKey,
    queryFn: async (context: QueryFunctionContext<ProgressQueryKey>): Promise<ProgressSnapshot> => {
      const { promise, reject, resolve } = Promise.withResolvers<ProgressSnapshot>()
      const { signal } = context
      client.watch(subject, {
        signal,
        onProgress: (snapshot) => void context.client.setQueryData(context.queryKey, snapshot),
        onTerminal: resolve,
        onError: (error: ProgressWatchError) => reject(error)
      })
      signal.addEventListener("abort", () => reject(signal.reason), { once: true })
      return promise
    },
    /** A `ProgressWatchError` is for good; everything else the client tries again. */
    retry: false,
    /** An end does not change. What was left before its end is watched on by whoever comes back to it. */
    staleTime: ({ state: { data } }: ProgressQuery): number =>
      data === undefined || data.outcome === "running" ? 0 : Infinity,
    /** The client itself finds out whether there is a network. */
    networkMode: "always"
  } as const
}
