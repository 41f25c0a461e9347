/** What the doctor says about a job, for people and for programs. */
import type { RetryHelp, Verdict } from "./Symptom.ts"
import { clip, type Language, oneLine, type Wording } from "./Wording.ts"

export interface EvidenceLine {
  readonly field: string
  readonly value: string
}

export interface Diagnosis {
  readonly jobId: string
  readonly state: string
  /** The id of the symptom; `docs/batch-doctor.md` has the table. */
  readonly symptom: string
  readonly verdict: Verdict
  readonly retry: RetryHelp
  readonly because: Wording
  readonly next: Wording
  /** What AWS said, as it said it, that the symptom was recognised by; `null` where it was no text. */
  readonly quote: string | null
  /** Other causes that the evidence shows as well. */
  readonly also: ReadonlyArray<string>
  readonly evidence: ReadonlyArray<EvidenceLine>
  readonly commands: ReadonlyArray<string>
}

/** The first line is never longer, in UTF-16 units: it has to fit where alerts go. */
export const maxSentenceLength = 200

const maxIdLength = 64
const maxStateLength = 16

interface Frame {
  readonly begin: (id: string, state: string) => string
  readonly next: string
}

const frames: Readonly<Record<Language, Frame>> = {
  ko: { begin: (id, state) => `작업 ${id}은(는) ${state} 상태: `, next: "; 다음: " },
  en: { begin: (id, state) => `Job ${id} is ${state} because `, next: "; next: " }
}

/** One sentence on one line; what is too long is cut in the cause, so that the next step stays whole. */
export const sentenceOf = (diagnosis: Diagnosis, language: Language): string => {
  const frame = frames[language]
  const begin = frame.begin(clip(oneLine(diagnosis.jobId), maxIdLength), clip(oneLine(diagnosis.state), maxStateLength))
  const next = clip(oneLine(diagnosis.next[language]), maxSentenceLength / 2 - frame.next.length)
  const room = maxSentenceLength - begin.length - frame.next.length - next.length
  return `${begin}${clip(oneLine(diagnosis.because[language]), room)}${frame.next}${next}`
}

const retryWords: Readonly<Record<RetryHelp, Wording>> = {
  "yes": { ko: "도움이 됨", en: "helps" },
  "no": { ko: "도움이 되지 않음", en: "does not help" },
  "after-fix": { ko: "고친 뒤에만 도움이 됨", en: "helps only after the repair" },
  "with-more-memory": { ko: "메모리를 늘려야 도움이 됨", en: "helps with more memory only" },
  "wait": { ko: "필요 없음, 기다릴 것", en: "is not needed: wait" },
  "not-needed": { ko: "필요 없음", en: "is not needed" },
  "unknown": { ko: "알 수 없음", en: "may or may not help" }
}

/** Says of a symptom whether the same job, submitted again, may get further. */
export const retryWording = (retry: RetryHelp): Wording => retryWords[retry]

const headings: Readonly<Record<"retry" | "symptom" | "also" | "evidence" | "commands", Wording>> = {
  symptom: { ko: "증상", en: "symptom" },
  retry: { ko: "재시도", en: "a retry" },
  also: { ko: "함께 보이는 증상", en: "seen as well" },
  evidence: { ko: "증거", en: "Evidence" },
  commands: { ko: "실행할 명령", en: "Commands to run" }
}

/** The report: the sentence, then the evidence field by field, then the commands. */
export const reportOf = (diagnosis: Diagnosis, language: Language): string => {
  const word = (name: keyof typeof headings): string => headings[name][language]
  const width = Math.max(0, ...diagnosis.evidence.map(({ field }) => field.length))
  return [
    sentenceOf(diagnosis, language),
    `  ${word("symptom")}: ${diagnosis.symptom} (${diagnosis.verdict})`,
    `  ${word("retry")}: ${retryWords[diagnosis.retry][language]}`,
    ...(diagnosis.also.length === 0 ? [] : [`  ${word("also")}: ${diagnosis.also.join(", ")}`]),
    "",
    `${word("evidence")}:`,
    ...diagnosis.evidence.map(({ field, value }) => `  ${field.padEnd(width)}  ${oneLine(value)}`),
    ...(diagnosis.commands.length === 0 ? [] : ["", `${word("commands")}:`, ...diagnosis.commands.map((line) => `  ${line}`)])
  ].join("\n")
}

/** What a program is given: the diagnosis and its sentence in both languages. */
export const diagnosisJson = (diagnosis: Diagnosis) => ({
  ...diagnosis,
  sentence: { ko: sentenceOf(diagnosis, "ko"), en: sentenceOf(diagnosis, "en") }
})

/** How `lectern doctor` ends: 0 when it could tell, 1 when not, 69 without AWS, 78 without credentials or permission. */
export const exitCodeOf = (verdict: Verdict): number => {
  switch (verdict) {
    case "fine":
    case "wait":
    case "found":
      return 0
    case "unrecognised":
      return 1
    case "unreachable":
      return 69
    case "configuration":
      return 78
  }
}
