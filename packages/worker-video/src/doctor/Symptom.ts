/** A symptom of AWS Batch: how it is recognised, what it means, and what to do. The tables in `symptoms/` are made of these. */
import type { Facts, TextField } from "./Facts.ts"
import type { Wording } from "./Wording.ts"

/** Whether the same job, submitted again, may get further. */
export type RetryHelp = "yes" | "no" | "after-fix" | "with-more-memory" | "wait" | "not-needed" | "unknown"

export type Verdict =
  /** Nothing is wrong. */
  | "fine"
  /** What is seen goes away by itself. */
  | "wait"
  /** The cause is known. */
  | "found"
  /** Nobody can tell from this; the texts are quoted. */
  | "unrecognised"
  /** The doctor itself lacks credentials or permissions. */
  | "configuration"
  /** AWS cannot be reached. */
  | "unreachable"

export type Match =
  /**
   * A text begins so, without regard to case, before its first ` - ` or ` – `. With `mentions`, one of these stands somewhere in
   * the whole text as well.
   */
  | { readonly _tag: "Text"; readonly field: TextField; readonly prefix: string; readonly mentions?: ReadonlyArray<string> }
  /** The last attempt's exit code, where no text says anything more than that the container has ended. */
  | { readonly _tag: "ExitCode"; readonly code: number }
  /** `when` says in words what `holds` looks at. It returns the text to quote, an empty one where there is none. */
  | { readonly _tag: "Check"; readonly when: string; readonly holds: (facts: Facts) => string | null }

export interface Symptom {
  readonly id: string
  /** Batch's states in which it can be seen; none stands for every state, an unknown one included. */
  readonly states: ReadonlyArray<string>
  readonly match: Match
  readonly verdict: Verdict
  readonly retry: RetryHelp
  /** Follows "because"; may name values of the facts, such as `{memory}`, and `{quote}`. */
  readonly because: Wording
  /** Follows "next". */
  readonly next: Wording
  /** Commands that show more or repair it. */
  readonly commands: ReadonlyArray<string>
}

const headOf = (text: string): string => text.split(/ [-–] /u, 1)[0] ?? text

const textMatches = (match: Extract<Match, { readonly _tag: "Text" }>, text: string): boolean =>
  headOf(text).trim().toLowerCase().startsWith(match.prefix.toLowerCase()) &&
  (match.mentions === undefined || match.mentions.some((mention) => text.toLowerCase().includes(mention.toLowerCase())))

/** Whether one text bears the symptom, wherever it stands. */
export const bearsText = (symptom: Symptom, text: string): boolean =>
  symptom.match._tag === "Text" && textMatches(symptom.match, text)

/** Whether there is an exit code and no text that may know better why the run has ended. */
export const onlyExitCodeSpeaks = ({ exitCode, texts }: Facts): boolean =>
  exitCode !== null && texts.containerReason.length === 0 &&
  texts.statusReason.every((text) => /^essential container in task exited/i.test(text.trim()))

/** The text that the symptom was recognised by (empty when it was no text), or `null` when the facts do not show it. */
export const recognise = (symptom: Symptom, facts: Facts): string | null => {
  if (symptom.states.length > 0 && !symptom.states.includes(facts.status)) return null
  const { match } = symptom
  switch (match._tag) {
    case "Text":
      return facts.texts[match.field].find((text) => textMatches(match, text)) ?? null
    case "ExitCode":
      return facts.exitCode === match.code && onlyExitCodeSpeaks(facts) ? "" : null
    case "Check":
      return match.holds(facts)
  }
}
