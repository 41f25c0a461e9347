/** What a process is told by its environment, checked as a whole. */
export * from "./Environment.ts"
export * from "./MessageSettings.ts"
