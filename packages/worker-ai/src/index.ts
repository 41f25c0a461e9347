/** The consumers of the job queue. What an import judges and reads is behind `./import`. */
export { consume, type ConsumerOptions, defaultConsumerOptions } from "./Consumer.ts"
export { type HandlerEnd, type Handlers, type JobHandler, withServices } from "./JobHandler.ts"
export { jobHandlers, type JobHandlersOptions } from "./jobHandlers.ts"
export {
  forgetMessages,
  messageProviders,
  messagingJob,
  type MessagingOptions,
  sendingBreaker,
  solapiProvider
} from "./messaging/index.ts"
export { downloadName, studentImportJob, StudentImportPayload } from "./StudentImportJob.ts"
export { readWorkerSettings, type WorkerSettings } from "./WorkerSettings.ts"
export { runWorker, runWorkerWith } from "./runWorker.ts"
