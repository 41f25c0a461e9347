import { type CheckOutcome, failure } from "./CheckOutcome.ts"

/**
 * What the network did to a call, where it was the network: `said` is an error's `causeChain`. The sentence names the service,
 * the place and the variable that leads there.
 */
export const networkFault = (
  said: string,
  target: { readonly service: string; readonly place: string; readonly variable: string }
): CheckOutcome | null => {
  const { place, service, variable } = target
  if (/ECONNREFUSED/.test(said)) {
    return failure(
      {
        ko: `${service} ${place} 이(가) 연결을 거부했습니다: 그 포트에서 듣는 프로그램이 없습니다`,
        en: `${service} at ${place} refused the connection: nothing listens on that port`
      },
      {
        ko: `${service} 을(를) 시작하거나 ${variable} 의 호스트와 포트를 고치세요`,
        en: `start ${service} or correct the host and port of ${variable}`
      }
    )
  }
  if (/ENOTFOUND|EAI_AGAIN/.test(said)) {
    return failure(
      { ko: `${service} 의 호스트 이름 ${place} 을(를) 찾을 수 없습니다`, en: `the host name of ${service}, ${place}, is not known` },
      { ko: `${variable} 의 호스트 이름과 VPC 의 DNS 를 확인하세요`, en: `check the host name of ${variable} and the DNS of the VPC` }
    )
  }
  if (/ECONNRESET|EPIPE|socket hang up|Connection is closed|Connection terminated/i.test(said)) {
    return failure(
      { ko: `${service} ${place} 이(가) 연결을 끊었습니다`, en: `${service} at ${place} dropped the connection` },
      { ko: "TLS 설정과 서비스의 상태를 확인하세요", en: "check whether the address asks for TLS and whether the service restarts" }
    )
  }
  if (/ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|timed? ?out|no answer within/i.test(said)) {
    return failure(
      { ko: `${service} ${place} 이(가) 제시간에 응답하지 않았습니다`, en: `${service} at ${place} gave no answer in time` },
      {
        ko: "보안 그룹과 방화벽이 이 컴퓨터를 허용하는지, 서버가 멈추지 않았는지 확인하세요",
        en: "check that security groups let this machine in and that the server does not hang"
      }
    )
  }
  return null
}
