import {
  type ProgressClient,
  type ProgressSnapshot,
  type ProgressWatchError,
  type Subject,
  subjectKey
} from "@lectern/api/client"
import { useMemo, useSyncExternalStore } from "react"

export interface ProgressState {
  /** `null` until something is known. */
  readonly snapshot: ProgressSnapshot | null
  /** Why nothing more comes, if that is so. */
  readonly error: ProgressWatchError | null
}

const nothing: ProgressState = { snapshot: null, error: null }
const nothingYet = (): ProgressState => nothing

const makeStore = (client: ProgressClient, subject: Subject | null) => {
  let state = nothing
  const subscribe = (changed: () => void): () => void => {
    // What is over stays so: React subscribes again whenever it shows a tree again.
    if (subject === null || state.error !== null || (state.snapshot !== null && state.snapshot.outcome !== "running")) {
      return () => undefined
    }
    const become = (change: Partial<ProgressState>): void => {
      state = { ...state, ...change }
      changed()
    }
    return client.watch(subject, {
      onProgress: (snapshot) => become({ snapshot }),
      onError: (error) => become({ error })
    }).stop
  }
  return { subscribe, read: () => state }
}

/**
 * How far the subject is, for as long as the component is shown; `null` watches nothing. All components that show the
 * same subject share one poller. Keep the client outside of components: another client is another watch.
 *
 * @example
 * ```ts
 * import { createProgressClient } from "@lectern/api/client"
 * import { useProgress } from "@lectern/api/client/react"
 * import { createElement } from "react"
 * import { renderToString } from "react-dom/server"
 *
 * const client = createProgressClient({ baseUrl: "https://edge.school.example", token: "a token" })
 *
 * const Bar = () => {
 *   const { error, snapshot } = useProgress(client, { video: 42 })
 *   return error === null
 *     ? createElement("progress", { max: 100, value: snapshot?.percent ?? undefined })
 *     : createElement("p", null, error.message)
 * }
 *
 * console.log(renderToString(createElement(Bar)))
 * // <progress max="100"></progress>
 * ```
 */
export const useProgress = (client: ProgressClient, subject: Subject | null): ProgressState => {
  const key = subject === null ? null : subjectKey(subject)
  // By key: a subject written out in a component is another object each time.
  const store = useMemo(() => makeStore(client, subject), [client, key])
  return useSyncExternalStore(store.subscribe, store.read, nothingYet)
}
