import type { Facts } from "../Facts.ts"
import type { Symptom } from "../Symptom.ts"
import { showDefinition, showJob, showLog, showQueue } from "./commands.ts"

const failed = ["FAILED"]

const firstReason = (facts: Facts): string => facts.texts.statusReason[0] ?? ""

/** How a run ended that Batch or ECS stopped. The four kinds of exit 137 are told apart here, by text and never by number. */
export const endSymptoms: ReadonlyArray<Symptom> = [
  {
    id: "end.timeout",
    states: failed,
    match: { _tag: "Text", field: "statusReason", prefix: "Job attempt duration exceeded timeout" },
    verdict: "found",
    retry: "no",
    because: {
      ko: "시간 제한({timeoutSeconds}초)을 넘겼습니다 (메모리 부족 아님)",
      en: "it ran past its timeout of {timeoutSeconds} s; that is no OOM"
    },
    next: {
      ko: "attemptDurationSeconds를 올리거나 멈춘 원인을 로그에서 확인",
      en: "raise attemptDurationSeconds or see the log for a hang"
    },
    commands: [showLog, showDefinition]
  },
  {
    id: "end.host-terminated",
    states: failed,
    match: { _tag: "Text", field: "statusReason", prefix: "Host EC2" },
    verdict: "found",
    retry: "yes",
    because: { ko: "EC2 인스턴스가 회수되거나 사라졌습니다 (Spot)", en: "its EC2 host was taken away (Spot reclaim or loss)" },
    next: {
      ko: "재시도 (규칙: onStatusReason \"Host EC2*\" RETRY)",
      en: "retry; the rule is onStatusReason \"Host EC2*\" RETRY"
    },
    commands: [showDefinition]
  },
  {
    id: "end.spot-interrupted",
    states: failed,
    match: { _tag: "Text", field: "statusReason", prefix: "Your Spot Task was interrupted" },
    verdict: "found",
    retry: "yes",
    because: { ko: "Fargate Spot이 태스크를 회수했습니다", en: "Fargate Spot took its task away" },
    next: {
      ko: "재시도 (규칙: \"Your Spot Task was interrupted*\" RETRY)",
      en: "retry by a rule on \"Your Spot Task was interrupted*\""
    },
    commands: [showDefinition]
  },
  {
    id: "end.spot-succeeded",
    states: ["SUCCEEDED"],
    match: { _tag: "Text", field: "statusReason", prefix: "Your Spot Task was interrupted" },
    verdict: "found",
    retry: "after-fix",
    because: {
      ko: "Spot 회수인데 프로그램이 0으로 끝나 성공으로 기록됐습니다",
      en: "Spot interrupted it and the program exited 0 on SIGTERM"
    },
    next: { ko: "SIGTERM에 143으로 끝내고 다시 제출", en: "exit 143 on SIGTERM and submit it again" },
    commands: [showLog]
  },
  {
    id: "end.out-of-memory",
    states: failed,
    match: { _tag: "Text", field: "containerReason", prefix: "OutOfMemoryError" },
    verdict: "found",
    retry: "with-more-memory",
    because: { ko: "메모리 한도({memory} MiB)를 넘겨 종료되었습니다", en: "it was killed at its memory limit of {memory} MiB" },
    next: { ko: "메모리를 늘린 뒤 재시도", en: "give it more memory, then retry" },
    commands: [showDefinition, showLog]
  },
  {
    id: "end.time-limit",
    states: failed,
    match: { _tag: "Text", field: "statusReason", prefix: "Canceled by JobStateTimeLimit action" },
    verdict: "found",
    retry: "after-fix",
    because: {
      ko: "RUNNABLE 시간 제한이 취소했습니다: {timeLimitReason}",
      en: "the queue's time limit cancelled it: {timeLimitReason}"
    },
    next: { ko: "그 원인을 고치고 다시 제출", en: "repair that and submit it again" },
    commands: [showQueue]
  },
  {
    id: "end.nextflow",
    states: failed,
    match: { _tag: "Text", field: "statusReason", prefix: "Job killed by NF" },
    verdict: "found",
    retry: "no",
    because: { ko: "Nextflow가 작업을 종료했습니다 (원래 이유는 남지 않음)", en: "Nextflow terminated it; the first reason is lost" },
    next: { ko: "종료한 쪽의 로그 확인", en: "look into Nextflow's own log" },
    commands: [showJob]
  },
  {
    id: "end.dependency",
    states: failed,
    match: { _tag: "Text", field: "statusReason", prefix: "Dependent Job failed" },
    verdict: "found",
    retry: "after-fix",
    because: { ko: "먼저 끝나야 할 작업이 실패했습니다", en: "a job that it depends on has failed" },
    next: { ko: "그 작업을 진단", en: "diagnose that job" },
    commands: [showJob]
  },
  {
    id: "end.array-child",
    states: failed,
    match: {
      _tag: "Check",
      when: "statusReason says that an array child failed, or the statusSummary of an array counts failed children",
      holds: (facts) =>
        facts.texts.statusReason.find((text) => /^array child/i.test(text)) ??
          ((facts.job?.arrayProperties?.statusSummary?.["FAILED"] ?? 0) > 0 ? firstReason(facts) : null)
    },
    verdict: "found",
    retry: "after-fix",
    because: { ko: "배열의 자식 작업이 실패했습니다", en: "a child of its array has failed" },
    next: { ko: "실패한 자식 진단", en: "diagnose the failed child" },
    commands: ["aws batch list-jobs --array-job-id {jobId} --job-status FAILED"]
  },
  {
    id: "end.too-many-tags",
    states: failed,
    match: {
      _tag: "Check",
      when: "propagateTags is set and the job has more than 50 tags",
      holds: ({ job }) => job?.propagateTags === true && Object.keys(job.tags ?? {}).length > 50 ? "" : null
    },
    verdict: "found",
    retry: "no",
    because: { ko: "propagateTags와 함께 태그가 50개를 넘습니다", en: "it has more than 50 tags with propagateTags" },
    next: { ko: "태그를 줄이거나 propagateTags 끄기", en: "drop tags or propagateTags" },
    commands: [showDefinition]
  },
  {
    id: "end.terminated",
    states: failed,
    match: {
      _tag: "Check",
      when: "isTerminated is set: statusReason is what TerminateJob was given",
      holds: (facts) => facts.job?.isTerminated === true ? firstReason(facts) : null
    },
    verdict: "found",
    retry: "no",
    because: { ko: "TerminateJob으로 종료되었습니다: \"{quote}\"", en: "TerminateJob ended it, saying \"{quote}\"" },
    next: { ko: "의도가 아니면 다시 제출 (Batch는 재시도하지 않음)", en: "submit it again if that was not meant" },
    commands: [showJob]
  },
  {
    id: "end.cancelled",
    states: failed,
    match: {
      _tag: "Check",
      when: "isCancelled is set: statusReason is what CancelJob was given",
      holds: (facts) => facts.job?.isCancelled === true ? firstReason(facts) : null
    },
    verdict: "found",
    retry: "no",
    because: {
      ko: "시작 전에 CancelJob으로 취소되었습니다: \"{quote}\"",
      en: "CancelJob ended it before it began, saying \"{quote}\""
    },
    next: { ko: "의도가 아니면 다시 제출", en: "submit it again if that was not meant" },
    commands: [showJob]
  }
]
