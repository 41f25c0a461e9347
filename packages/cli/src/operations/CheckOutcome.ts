import { plain, type Words } from "./Words.ts"

/** What came of a check. A warning passes and wants to be read; what was skipped has not passed. */
export type CheckOutcome =
  | { readonly _tag: "Pass"; readonly detail: Words; readonly warning: Words | null }
  | { readonly _tag: "Fail"; readonly cause: Words; readonly next: Words }
  | { readonly _tag: "Skip"; readonly cause: Words }

export const pass = (detail: Words, warning: Words | null = null): CheckOutcome => ({ _tag: "Pass", detail, warning })
export const failure = (cause: Words, next: Words): CheckOutcome => ({ _tag: "Fail", cause, next })
export const skip = (cause: Words): CheckOutcome => ({ _tag: "Skip", cause })

/** A check by its name, with what came of it and how long it took, in milliseconds. */
export interface Checked {
  readonly id: string
  readonly title: Words
  readonly outcome: CheckOutcome
  readonly millis: number
}

/** A fault whose kind we do not know: it is quoted, not guessed. */
export const unrecognised = (action: Words, quoted: string): CheckOutcome =>
  failure(
    { ko: `${action.ko}: 알 수 없는 오류 "${quoted}"`, en: `${action.en}: unrecognised fault "${quoted}"` },
    {
      ko: "인용된 메시지를 해당 서비스의 로그와 대조하세요",
      en: "compare the quoted message with the service's own log"
    }
  )

/** A variable that this check cannot do without, and that is not set. */
export const unset = (name: string, local: boolean): CheckOutcome =>
  local
    ? skip({ ko: `${name} 이(가) 설정되지 않아 검사하지 않았습니다`, en: `not checked, because ${name} is not set` })
    : failure(
      { ko: `${name} 이(가) 설정되지 않았습니다`, en: `${name} is not set` },
      { ko: `배포 환경의 ${name} 을(를) 설정하고 다시 실행하세요`, en: `set ${name} as the deployment has it and run again` }
    )

/** Variables that hold what cannot be worked with, as the configuration's own faults say it. */
export const misconfigured = (faults: ReadonlyArray<string>): CheckOutcome =>
  failure(
    plain(faults.join("; ")),
    { ko: "해당 변수의 값을 고치고 다시 실행하세요", en: "correct the variable and run again" }
  )
