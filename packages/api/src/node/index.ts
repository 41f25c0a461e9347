/** Node: the edge on `node:http`. */
export { makeEdgeServer } from "./EdgeServer.ts"
