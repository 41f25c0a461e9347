/** What developers test with: the whole domain in memory, and a script of its faults. Start at `TestDomain`. */
export { type EncodeRunInMemory, EncodeRuns } from "./EncodeRuntimeMemory.ts"
export { type Fault, Faults, faultTimeoutMillis, type FaultyPort, InjectedFault, type PortCall } from "./Faults.ts"
export { QueueContents } from "./JobQueueMemory.ts"
export { TestDomain, type TestDomainOptions } from "./TestDomain.ts"
