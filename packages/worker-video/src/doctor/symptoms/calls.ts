import type { Facts } from "../Facts.ts"
import type { Symptom } from "../Symptom.ts"
import { showIdentity, showJob } from "./commands.ts"

const missing = (kind: Facts["missing"][number]["kind"], calls: RegExp) => (facts: Facts): string | null => {
  const found = facts.missing.find((answer) => answer.kind === kind && calls.test(answer.call))
  return found === undefined ? null : `${found.call}: ${found.fault}`
}

const jobCalls = /^(DescribeJobs|ListJobs)$/

const withoutJob = (holds: (facts: Facts) => string | null) => (facts: Facts): string | null =>
  facts.job === null ? holds(facts) : null

/** The job itself was not seen. A call that was refused is no answer about it (INCIDENTS.md, 16). */
export const callSymptoms: ReadonlyArray<Symptom> = [
  {
    id: "call.configuration",
    states: ["UNKNOWN"],
    match: {
      _tag: "Check",
      when: "DescribeJobs or ListJobs failed for want of a region or of valid credentials",
      holds: withoutJob(missing("configuration", jobCalls))
    },
    verdict: "configuration",
    retry: "after-fix",
    because: {
      ko: "AWS 자격 증명 또는 리전이 없거나 틀립니다 ({quote})",
      en: "AWS credentials or region are missing or wrong ({quote})"
    },
    next: { ko: "AWS_REGION과 자격 증명 설정", en: "set AWS_REGION and credentials" },
    commands: [showIdentity]
  },
  {
    id: "call.refused",
    states: ["UNKNOWN"],
    match: {
      _tag: "Check",
      when: "AWS refused DescribeJobs or ListJobs to the caller",
      holds: withoutJob(missing("refused", jobCalls))
    },
    verdict: "configuration",
    retry: "after-fix",
    because: { ko: "AWS가 조회를 거부했습니다 ({quote})", en: "AWS refused the question ({quote})" },
    next: { ko: "batch:Describe*와 batch:ListJobs 허용", en: "allow batch:Describe* and batch:ListJobs" },
    commands: [showIdentity]
  },
  {
    id: "call.unreachable",
    states: ["UNKNOWN"],
    match: {
      _tag: "Check",
      when: "DescribeJobs or ListJobs had no answer, was throttled, or met a fault of the service",
      holds: withoutJob(missing("unreachable", jobCalls))
    },
    verdict: "unreachable",
    retry: "wait",
    because: { ko: "AWS Batch가 답하지 않습니다 ({quote})", en: "AWS Batch gave no answer ({quote})" },
    next: { ko: "네트워크 확인 후 다시 실행", en: "check the network and ask again" },
    commands: [showJob]
  },
  {
    id: "call.rejected",
    states: ["UNKNOWN"],
    match: {
      _tag: "Check",
      when: "AWS did not accept the question, such as a queue of a name that does not exist",
      holds: withoutJob(missing("rejected", jobCalls))
    },
    verdict: "configuration",
    retry: "after-fix",
    because: { ko: "AWS가 질문을 받아들이지 않았습니다 ({quote})", en: "AWS did not accept the question ({quote})" },
    next: { ko: "VIDEO_BATCH_JOB_QUEUE 이름 확인", en: "check the name in VIDEO_BATCH_JOB_QUEUE" },
    commands: ["aws batch describe-job-queues"]
  },
  {
    id: "job.forgotten",
    states: ["UNKNOWN"],
    match: {
      _tag: "Check",
      when: "Batch answered and mentions no such job, and our history of it does",
      holds: withoutJob(({ history }) => {
        const last = history.at(-1)
        return last === undefined
          ? null
          : [last.status, last.containerReason ?? last.statusReason].filter((text) => text != null && text !== "").join(": ")
      })
    },
    verdict: "found",
    retry: "unknown",
    because: {
      ko: "Batch는 이 작업을 잊었고, 마지막 기록은 \"{quote}\"입니다",
      en: "Batch has forgotten it; it was last seen as \"{quote}\""
    },
    next: { ko: "아래 history 기록 확인", en: "read its history below" },
    commands: []
  },
  {
    id: "job.not-found",
    states: ["UNKNOWN"],
    match: {
      _tag: "Check",
      when: "Batch answered and mentions no such job",
      holds: (facts) => facts.job === null ? "" : null
    },
    verdict: "unrecognised",
    retry: "unknown",
    because: {
      ko: "Batch에 이 작업이 없습니다 (종료 후 약 7일이면 잊음)",
      en: "Batch mentions no such job (it forgets ended ones after days)"
    },
    next: { ko: "ID, 리전, 큐 이름 확인", en: "check the id, the region and the queue's name" },
    commands: ["aws batch list-jobs --job-queue {queue} --filters name=JOB_NAME,values='video-*'"]
  }
]
