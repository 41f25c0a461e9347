/** What a client is told with UNKNOWN. It goes on asking in each case. */
export const unknownMessages = {
  /** Not there: never written, expired, another tenant's, or of no kind that can be read. All of them look the same. */
  nothing: "진행 정보가 없습니다",
  unreachable: "지금은 진행 정보를 확인할 수 없습니다"
} as const
