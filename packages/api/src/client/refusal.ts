import { fieldsOf, textOf } from "./ProgressSnapshot.ts"
import { ProgressWatchError, type ProgressWatchReason } from "./ProgressWatchError.ts"

const reasons = { 400: "BadSubject", 401: "Unauthorized", 403: "Forbidden", 404: "NotFound" } as const satisfies Record<
  number,
  ProgressWatchReason
>

/** Whether the server refuses, and would again. */
export const isRefusal = (status: number | null): status is keyof typeof reasons => status !== null && status in reasons

/** The end of a watch by the server's answer. */
export const refusal = (key: string, status: keyof typeof reasons, body: unknown): ProgressWatchError => {
  const { code, detail } = fieldsOf(body)
  return new ProgressWatchError(
    reasons[status],
    `Cannot watch ${key}: ${textOf(detail) ?? `the server answered ${status}`}`,
    textOf(code)
  )
}
