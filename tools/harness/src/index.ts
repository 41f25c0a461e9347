/**
 * Real servers for tests, each in a process of its own on a free port of 127.0.0.1. They die with their scope, and also when
 * the test process dies. The harness lives in real time: it works in `it.effect`, where the clock stands still.
 */
export {
  type BatchCall,
  type BatchFault,
  type BatchJob,
  BatchServer,
  type BatchServerOptions,
  type BatchWorld
} from "./BatchServer.ts"
export { FauxqsServer } from "./FauxqsServer.ts"
export { HarnessError } from "./HarnessError.ts"
export { NeonProxy, type Target } from "./NeonProxy.ts"
export { type Availability, describeIf } from "./NotRun.ts"
export { ClosedPort, freePort, SilentPort } from "./ports.ts"
export { PostgresServer } from "./PostgresServer.ts"
export { type RedisOptions, RedisServer } from "./RedisServer.ts"
export { makeS3Gate, type S3Gate, type S3Request } from "./S3Gate.ts"
export type { ServerProcess } from "./ServerProcess.ts"
export { type SolapiDelivery, type SolapiFault, type SolapiListener, type SolapiOperation, SolapiServer } from "./SolapiServer.ts"
export { type Owner, temporaryFolder } from "./TemporaryFolder.ts"
export * as Warden from "./Warden.ts"
export { documentedVariables, undocumentedVariables } from "./undocumentedVariables.ts"
