import { readEnvironment, serviceVariables } from "@lectern/adapters/environment"
import { probeQueue, type QueueTrip } from "@lectern/adapters/sqs"
import type { QueueUnavailable, Tier } from "@lectern/domain"
import { Effect } from "effect"
import { causeChain, placeOf, quote } from "./causeChain.ts"
import { type CheckOutcome, failure, misconfigured, pass, unrecognised, unset } from "./CheckOutcome.ts"
import { networkFault } from "./networkFault.ts"
import { words, type Words } from "./Words.ts"

const defaultRegion = "ap-northeast-2"
const requestTimeoutMillis = 5_000

/** Names under which AWS says that we may not, or that we are nobody. */
const refusal = /AccessDenied|NotAuthorized|InvalidClientTokenId|SignatureDoesNotMatch|UnrecognizedClient|ExpiredToken|InvalidSecurity/

const queueNameOf = (url: string): string => new URL(url).pathname.split("/").at(-1) ?? url

const explain = (error: QueueUnavailable, url: string, variable: string): CheckOutcome => {
  const said = causeChain(error.cause).join(" | ")
  const name = queueNameOf(url)
  if (/QueueDoesNotExist|NonExistentQueue/.test(said)) {
    return failure(
      words(`SQS 대기열 ${name} 이(가) 없습니다`, `there is no SQS queue ${name}`),
      words(`대기열을 만들거나 ${variable} 와 AWS_REGION 을 고치세요`, `create the queue or correct ${variable} and AWS_REGION`)
    )
  }
  if (/CredentialsProviderError|Could not load credentials/.test(said)) {
    return failure(
      words("AWS 자격 증명을 찾을 수 없습니다", "there are no AWS credentials"),
      words(
        "워커의 역할을 맡거나 AWS_ACCESS_KEY_ID 와 AWS_SECRET_ACCESS_KEY 를 설정하세요",
        "assume the worker's role or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
      )
    )
  }
  if (refusal.test(said)) {
    return failure(
      words(`AWS 가 ${name} 에서 "${error.operation}" 을(를) 거부했습니다`, `AWS refused to let us ${error.operation} on ${name}`),
      words(
        "역할에 sqs:SendMessage, ReceiveMessage, DeleteMessage, ChangeMessageVisibility, GetQueueAttributes 를 허용하고, "
          + "사용 중인 대기열이면 *-ready 의 CreateQueue 와 DeleteQueue 도 허용하세요",
        "allow the role sqs:SendMessage, ReceiveMessage, DeleteMessage, ChangeMessageVisibility and GetQueueAttributes, "
          + "and for a busy queue CreateQueue and DeleteQueue on *-ready"
      )
    )
  }
  if (/did not come back/.test(said)) {
    return failure(
      words(`${name} 에 보낸 메시지가 10초 안에 돌아오지 않았습니다`, `the message sent to ${name} did not come back within 10 seconds`),
      words(
        "대기열의 지연 시간(DelaySeconds)과 다른 소비자를 확인하세요",
        "look at the queue's DelaySeconds and for consumers that are not ours"
      )
    )
  }
  return networkFault(said, { service: "SQS", place: placeOf(url), variable })
    ?? unrecognised(words(
      `SQS 대기열 ${name} 을(를) 사용할 수 없습니다`,
      `SQS queue ${name} cannot be used`
    ), quote(error.cause, [url]))
}

const described = (url: string, trip: QueueTrip): Words => {
  const name = queueNameOf(url)
  switch (trip._tag) {
    case "Real":
      return words(`${name} 왕복`, `${name}: through the queue and back`)
    case "Worker":
      return words(`${name}: 실행 중인 워커가 받아 처리`, `${name}: a running worker took the message and acknowledged it`)
    case "Twin":
      return words(
        `${name}: 다른 메시지 ${trip.busy}개가 있어 보내기만 하고, 임시 대기열로 왕복`,
        `${name}: holds ${trip.busy} messages of others, so it took ours and was not received from; the way back by a queue beside it`
      )
  }
}

/** A tagged message through each queue. */
export const queueCheck = (
  variables: Readonly<Record<string, string | undefined>>,
  local: boolean
): Effect.Effect<CheckOutcome> =>
  Effect.gen(function*() {
    const { AWS_REGION, SQS_QUEUE_URL_BASIC, SQS_QUEUE_URL_LITE, SQS_QUEUE_URL_MESSAGING, SQS_QUEUE_URL_PREMIUM } = yield*
    readEnvironment({
      SQS_QUEUE_URL_LITE: serviceVariables.SQS_QUEUE_URL_LITE,
      SQS_QUEUE_URL_BASIC: serviceVariables.SQS_QUEUE_URL_BASIC,
      SQS_QUEUE_URL_PREMIUM: serviceVariables.SQS_QUEUE_URL_PREMIUM,
      SQS_QUEUE_URL_MESSAGING: serviceVariables.SQS_QUEUE_URL_MESSAGING,
      AWS_REGION: serviceVariables.AWS_REGION
    }, variables)
    const queues: ReadonlyArray<{ readonly tier: Tier; readonly variable: string; readonly url: string | undefined }> = [
      { tier: "lite", variable: "SQS_QUEUE_URL_LITE", url: SQS_QUEUE_URL_LITE },
      { tier: "basic", variable: "SQS_QUEUE_URL_BASIC", url: SQS_QUEUE_URL_BASIC },
      { tier: "premium", variable: "SQS_QUEUE_URL_PREMIUM", url: SQS_QUEUE_URL_PREMIUM },
      { tier: "basic", variable: "SQS_QUEUE_URL_MESSAGING", url: SQS_QUEUE_URL_MESSAGING }
    ]
    const missing = queues.filter(({ url }) => url === undefined).map(({ variable }) => variable)
    if (missing.length > 0) return unset(missing.join(", "), local && missing.length === queues.length)
    const results = yield* Effect.forEach(queues, ({ tier, url = "", variable }) =>
      probeQueue({ url, tier, region: AWS_REGION ?? defaultRegion, requestTimeoutMillis, maxAttempts: 2 }).pipe(
        Effect.map((trip): CheckOutcome => pass(described(url, trip))),
        Effect.catchTag("QueueUnavailable", (error) => Effect.succeed(explain(error, url, variable)))
      ), { concurrency: queues.length })
    const failed = results.find((result) => result._tag === "Fail")
    if (failed !== undefined) return failed
    const details = results.flatMap((result) => result._tag === "Pass" ? [result.detail] : [])
    return pass({
      ko: details.map(({ ko }) => ko).join("; "),
      en: details.map(({ en }) => en).join("; ")
    })
  }).pipe(Effect.catchTag("BadConfiguration", (error) => Effect.succeed(misconfigured(error.faults))))
