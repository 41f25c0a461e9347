/** Node: the edge on `node:http`, and how each of its programs is started. */
export { type EdgeLaunch, edgeLaunches, type EdgeRuntime } from "./edgeLaunches.ts"
export { makeEdgeServer } from "./EdgeServer.ts"
