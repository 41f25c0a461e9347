import { Effect } from "effect"
import { withServices } from "./JobHandler.ts"
import { defaultRecognitionOptions, recognitionJob } from "./recognition/index.ts"
import { studentImportJob } from "./StudentImportJob.ts"

export interface JobHandlersOptions {
  /** A folder on this machine's disk for files in work. */
  readonly workRoot: string
}

/** Every kind of job that the queue carries, each with the services that it found where this was run. */
export const jobHandlers = (options: JobHandlersOptions) =>
  Effect.all({
    student_import: withServices(studentImportJob(options)),
    ocr: withServices(recognitionJob(defaultRecognitionOptions))
  })
