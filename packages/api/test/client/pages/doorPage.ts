/** A page of components that each show how far a video is, in React's strict mode, through a door of the client. */
import { createProgressClient, type ProgressSnapshot, type Subject } from "@lectern/api/client"
import { createElement, type ReactNode, StrictMode, useEffect } from "react"
import { createRoot } from "react-dom/client"
import { edge } from "./edge.ts"

declare global {
  interface Window {
    /** Shows so many components. */
    showBars: (count: number) => void
    /** Watches the video besides, by callback. */
    watchBeside: () => void
    /** The ends that were seen, one by each component and one by each watch. */
    ends: Array<string>
    /** Starts a client of its own, which polls for two other videos at once whether or not anybody sees the page. */
    startWitness: () => void
    /** How often the witness was answered. */
    witnessed: number
  }
}

export const client = createProgressClient(edge)

/** `around`: what the door's components need around them. */
export const startPage = (
  useSnapshot: (subject: Subject) => ProgressSnapshot | null,
  around: (bars: ReactNode) => ReactNode = (bars) => bars
): void => {
  const Bar = () => {
    const snapshot = useSnapshot({ video: 42 })
    const outcome = snapshot?.outcome ?? "running"
    useEffect(() => {
      if (outcome !== "running") window.ends.push(outcome)
    }, [outcome])
    return createElement("p", null, snapshot === null ? "nothing yet" : `${snapshot.status} ${snapshot.percent}`)
  }
  const root = createRoot(document.querySelector("main") ?? document.body)
  window.ends = []
  window.witnessed = 0
  window.showBars = (count) => {
    const bars = Array.from({ length: count }, (_, key) => createElement(Bar, { key }))
    root.render(createElement(StrictMode, null, around(bars)))
  }
  window.watchBeside = () => {
    client.watch({ video: 42 }, { onTerminal: ({ outcome }) => void window.ends.push(outcome) })
  }
  window.startWitness = () => {
    const witness = createProgressClient({
      ...edge,
      events: false,
      tabs: null,
      page: { isHidden: () => false, onChange: () => () => undefined },
      fetch: async (input, init) => {
        const response = await fetch(input, init)
        window.witnessed += 1
        return response
      }
    })
    witness.watch({ video: 43 })
    witness.watch({ video: 44 })
  }
}
