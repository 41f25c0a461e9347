/** The client as a query of TanStack Query, for each of its frameworks. */
export { progressQueryOptions, type ProgressQueryKey } from "./progressQueryOptions.ts"
