import type { Diagnosis } from "./Diagnosis.ts"
import type { Evidence } from "./Evidence.ts"
import { evidenceLines } from "./evidenceLines.ts"
import { type ExpectedNames, expectedNames } from "./ExpectedNames.ts"
import { type Facts, factsOf, valuesOf } from "./Facts.ts"
import { bearsText, recognise, type Symptom } from "./Symptom.ts"
import { showJob } from "./symptoms/commands.ts"
import { symptoms } from "./symptoms/index.ts"
import { unrecognised } from "./symptoms/state.ts"
import { clip, fill, oneLine, type Wording } from "./Wording.ts"

/** How much of a text stands in the sentence; the whole of it is in the evidence. */
const maxQuoteLength = 80

/** A word that a shell takes as it stands. */
const shellWord = (text: string): string => /^[\w.:/@%+=,-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`

const shellWords = (values: Readonly<Record<string, string>>): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, shellWord(oneLine(value))]))

const filled = (wording: Wording, values: Readonly<Record<string, string>>): Wording => ({
  ko: fill(wording.ko, values),
  en: fill(wording.en, values)
})

/** Other definite causes: what the queue's time limit waited for, what attempts ended with, what Batch once said. */
const alsoSeen = (facts: Facts, first: Symptom): ReadonlyArray<string> => {
  const limit = facts.timeLimitReason
  const earlier = [
    ...(facts.job?.attempts ?? []).flatMap(({ container, statusReason }) => [container?.reason, statusReason]),
    ...facts.history.flatMap(({ containerReason, statusReason }) => [containerReason, statusReason])
  ].flatMap((text) => text == null ? [] : [text])
  const found = symptoms.filter((symptom) =>
    symptom.verdict === "found" && (
      recognise(symptom, facts) !== null || (limit !== null && bearsText(symptom, limit)) ||
      (symptom.match._tag === "Text" && symptom.match.prefix !== "" && earlier.some((text) => bearsText(symptom, text)))
    )
  )
  return [...new Set(found.map(({ id }) => id))].filter((id) => id !== first.id)
}

/**
 * Says what is the matter with a job: the first symptom of the table that the evidence shows. Total: any evidence has a
 * diagnosis, an empty one too, and what nobody knows is called unrecognised and quoted.
 *
 * `now`, in milliseconds since 1970, is used for evidence that does not say when it was collected.
 */
export const diagnose = (evidence: Evidence, now: number, names: ExpectedNames = expectedNames()): Diagnosis => {
  const facts = factsOf(evidence, evidence.collectedAt ?? now, names)
  const symptom = symptoms.find((it) => recognise(it, facts) !== null) ?? unrecognised
  const quote = recognise(symptom, facts) ?? ""
  const values = { ...valuesOf(facts), quote: clip(oneLine(quote), maxQuoteLength) }
  const words = shellWords(values)
  const commands = [...new Set([...(facts.job === null ? [] : [showJob]), ...symptom.commands])]
    // A command about something that the evidence does not name would be wrong in anybody's shell.
    .map((command) => fill(command, words)).filter((command) => !command.includes("'?'"))
  return {
    jobId: facts.jobId,
    state: facts.status,
    symptom: symptom.id,
    verdict: symptom.verdict,
    retry: symptom.retry,
    because: filled(symptom.because, values),
    next: filled(symptom.next, values),
    quote: quote === "" ? null : quote,
    also: alsoSeen(facts, symptom),
    evidence: evidenceLines(evidence, facts),
    commands
  }
}
