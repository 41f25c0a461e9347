import type { JobStoreUnavailable, WorkerCommand } from "@lectern/domain"

const bugMessage = "작업 중 예기치 않은 오류가 발생했습니다"

/** How an attempt ends that a fault of ours has ended. */
export const failedByBug = (options: { readonly retryable: boolean }): WorkerCommand => ({
  _tag: "Fail",
  code: "bug",
  message: bugMessage,
  retryable: options.retryable
})

/**
 * How an attempt ends that the database has stopped: it is tried again where the database was away, which
 * `awayMessage` says, and for good where it would refuse the same again.
 */
export const endOfDatabaseFault = (error: JobStoreUnavailable, awayMessage: string): WorkerCommand => {
  switch (error.reason) {
    case "away":
      return { _tag: "Fail", code: "database_unavailable", message: awayMessage, retryable: true }
    case "value":
      return { _tag: "Reject", code: "unstorable_value", message: "데이터베이스에 저장할 수 없는 값이 들어 있습니다" }
    case "bug":
      return failedByBug({ retryable: false })
  }
}
