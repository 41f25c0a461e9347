/** A page that watches a video, and writes down what it is told. */
import { createProgressClient } from "@lectern/api/client"
import { edge } from "./edge.ts"

declare global {
  interface Window {
    told: Array<string>
  }
}

window.told = []
const say = (line: string): void => void window.told.push(line)
createProgressClient(edge).watch({ video: 42 }, {
  onProgress: ({ percent, status }) => say(`${status} ${percent}`),
  onTerminal: ({ outcome }) => say(outcome),
  onError: ({ reason }) => say(reason)
})
