import type { Symptom } from "../Symptom.ts"
import { callSymptoms } from "./calls.ts"
import { endSymptoms } from "./end.ts"
import { environmentSymptoms } from "./environment.ts"
import { exitSymptoms } from "./exit.ts"
import { runnableSymptoms, waitingSymptoms } from "./runnable.ts"
import { startFallback, startSymptoms } from "./start.ts"
import { stateSymptoms } from "./state.ts"

export interface SymptomSection {
  readonly title: string
  readonly symptoms: ReadonlyArray<Symptom>
}

/** Every symptom that the doctor knows, in the order in which it looks for them: the first that is there is the diagnosis. */
export const symptomSections: ReadonlyArray<SymptomSection> = [
  { title: "The job could not be seen", symptoms: callSymptoms },
  { title: "Queue and compute environment, for a job that is RUNNABLE", symptoms: environmentSymptoms },
  { title: "RUNNABLE, in Batch's own words", symptoms: runnableSymptoms },
  { title: "RUNNABLE without a word", symptoms: waitingSymptoms },
  { title: "Ended from outside", symptoms: endSymptoms },
  { title: "The container did not start", symptoms: startSymptoms },
  { title: "The container did not start, and nothing says why", symptoms: startFallback },
  { title: "The program's exit code", symptoms: exitSymptoms },
  { title: "The state alone", symptoms: stateSymptoms }
]

export const symptoms: ReadonlyArray<Symptom> = symptomSections.flatMap((section) => section.symptoms)
