import { Schema } from "effect"
import type { Checked } from "./CheckOutcome.ts"
import type { Language, Words } from "./Words.ts"

const tags = { Pass: "PASS", Fail: "FAIL", Skip: "SKIP" } as const

/** How many have passed; a warning has, what was skipped has not. */
export const passedCount = (checks: ReadonlyArray<Checked>): number =>
  checks.filter(({ outcome }) => outcome._tag === "Pass").length

const line = (checked: Checked, index: number, language: Language): ReadonlyArray<string> => {
  const { outcome, title } = checked
  const head = `[${tags[outcome._tag]}] [${index + 1}] ${title[language]}`
  const next = language === "ko" ? "조치" : "next"
  const warning = language === "ko" ? "주의" : "warning"
  switch (outcome._tag) {
    case "Pass":
      return [
        `${head}: ${outcome.detail[language]}`,
        ...(outcome.warning === null ? [] : [`       ${warning}: ${outcome.warning[language]}`])
      ]
    case "Fail":
      return [`${head}: ${outcome.cause[language]}; ${next}: ${outcome.next[language]}`]
    case "Skip":
      return [`${head}: ${outcome.cause[language]}`]
  }
}

/** The lines that operators know, with `통과: 4/4` behind them. */
export const checkReport = (checks: ReadonlyArray<Checked>, language: Language): string => {
  const passed = passedCount(checks)
  return [
    ...checks.flatMap((checked, index) => line(checked, index, language)),
    "",
    `${language === "ko" ? "통과" : "Passed"}: ${passed}/${checks.length}`,
    ...(passed === checks.length ? [] : [
      language === "ko" ? "[FAIL] 미통과 항목을 해결한 후 재실행하세요." : "[FAIL] Resolve what has not passed and run again."
    ])
  ].join("\n")
}

const encodeJson = Schema.encodeSync(Schema.fromJsonString(Schema.Json))
const both = (it: Words): { readonly ko: string; readonly en: string } => ({ ko: it.ko, en: it.en })

/** The same for machines, in both languages. */
export const checkJson = (checks: ReadonlyArray<Checked>): string =>
  encodeJson({
    passed: passedCount(checks),
    total: checks.length,
    ok: passedCount(checks) === checks.length,
    checks: checks.map(({ id, millis, outcome, title }) => ({
      id,
      title: both(title),
      outcome: tags[outcome._tag],
      ...(outcome._tag === "Pass"
        ? { detail: both(outcome.detail), warning: outcome.warning === null ? null : both(outcome.warning) }
        : { cause: both(outcome.cause), next: outcome._tag === "Fail" ? both(outcome.next) : null }),
      millis
    }))
  })
