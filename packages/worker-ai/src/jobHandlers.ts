import { Effect } from "effect"
import { withServices } from "./JobHandler.ts"
import { messagingJob, type MessagingOptions } from "./messaging/index.ts"
import { defaultRecognitionOptions, recognitionJob } from "./recognition/index.ts"
import { studentImportJob } from "./StudentImportJob.ts"

export interface JobHandlersOptions {
  /** A folder on this machine's disk for files in work. */
  readonly workRoot: string
  readonly messaging: MessagingOptions
}

/** Every kind of job that the queue carries, each with the services that it found where this was run. */
export const jobHandlers = (options: JobHandlersOptions) =>
  Effect.all({
    student_import: withServices(studentImportJob(options)),
    messaging: withServices(messagingJob(options.messaging)),
    ocr: withServices(recognitionJob(defaultRecognitionOptions))
  })
