/** The consumers of the job queue. What an import judges and reads is behind `./import`. */
export { consume, type ConsumerOptions, defaultConsumerOptions, type Handlers } from "./Consumer.ts"
export type { HandlerEnd, JobHandler } from "./JobHandler.ts"
export { downloadName, studentImportJob, StudentImportPayload } from "./StudentImportJob.ts"
