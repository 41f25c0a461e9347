import type { Facts } from "../Facts.ts"
import type { Symptom } from "../Symptom.ts"
import { showDefinition, showJob, showLog, showQueue } from "./commands.ts"

/** The last row: it holds of everything, and guesses nothing. */
export const unrecognised: Symptom = {
  id: "state.unrecognised",
  states: [],
  match: {
    _tag: "Check",
    when: "nothing in this table: the texts are quoted",
    holds: ({ texts }) => texts.containerReason[0] ?? texts.statusReason[0] ?? ""
  },
  verdict: "unrecognised",
  retry: "unknown",
  because: { ko: "알려지지 않은 이유입니다: \"{quote}\"", en: "of a reason that is not recognised: \"{quote}\"" },
  next: { ko: "로그와 이 문장 확인", en: "read the log and look up this text" },
  commands: [showJob, showLog, showDefinition]
}

/** A parent stays PENDING while its children run; it has no other of these states today. */
const arrayStates = ["SUBMITTED", "PENDING", "RUNNABLE", "STARTING", "RUNNING"]

/** Whether it is the array itself that has to be spoken of, and no child of it. */
const isArray = ({ job }: Facts): boolean => (job?.arrayProperties?.size ?? 0) > 0

/** What the state alone says, when nothing else was recognised. */
export const stateSymptoms: ReadonlyArray<Symptom> = [
  {
    id: "state.succeeded",
    states: ["SUCCEEDED"],
    match: { _tag: "Check", when: "the job ended well", holds: () => "" },
    verdict: "fine",
    retry: "not-needed",
    because: { ko: "정상적으로 끝났습니다", en: "it ended well" },
    next: { ko: "할 일 없음", en: "nothing to do" },
    commands: []
  },
  {
    id: "state.array-running",
    states: arrayStates,
    match: {
      _tag: "Check",
      when: "the job is the parent of an array, and a child of it runs",
      holds: (facts) => isArray(facts) && facts.children?.has("RUNNING") === true ? "" : null
    },
    verdict: "fine",
    retry: "not-needed",
    because: { ko: "배열의 자식이 실행 중입니다 ({children})", en: "children of its array run ({children})" },
    next: { ko: "진행률은 자식의 로그에서 확인", en: "follow the log of its first child" },
    commands: ["aws batch list-jobs --array-job-id {jobId} --job-status RUNNING"]
  },
  {
    id: "state.array",
    states: arrayStates,
    match: {
      _tag: "Check",
      when: "the job is the parent of an array, and no child of it runs",
      holds: (facts) => isArray(facts) ? "" : null
    },
    verdict: "wait",
    retry: "wait",
    because: { ko: "배열의 자식이 아직 실행되지 않았습니다 ({children})", en: "no child of its array runs ({children})" },
    next: { ko: "자식 작업 진단", en: "diagnose one of its children" },
    commands: [
      "aws batch list-jobs --array-job-id {jobId} --job-status STARTING",
      "aws batch list-jobs --array-job-id {jobId} --job-status RUNNABLE"
    ]
  },
  {
    id: "state.running",
    states: ["RUNNING"],
    match: { _tag: "Check", when: "the job runs", holds: () => "" },
    verdict: "fine",
    retry: "not-needed",
    because: { ko: "컨테이너가 실행 중입니다", en: "its container runs" },
    next: { ko: "진행률은 로그에서 확인", en: "follow its log" },
    commands: [showLog]
  },
  {
    id: "state.starting-long",
    states: ["STARTING"],
    match: {
      _tag: "Check",
      when: "STARTING without a reason, an hour or more after the job was submitted or its last attempt ended",
      holds: ({ texts, waitedMinutes }) =>
        (waitedMinutes ?? 0) >= 60 && texts.containerReason.length === 0 && texts.statusReason.length === 0 ? "" : null
    },
    verdict: "unrecognised",
    retry: "unknown",
    because: {
      ko: "{minutes}분이 지나도 시작되지 않고 이유도 없습니다",
      en: "of no stated reason, {minutes} minutes after it was submitted"
    },
    next: { ko: "ECS 태스크와 이미지 다운로드 확인", en: "look at the ECS task and the image's pull" },
    commands: [showJob]
  },
  {
    id: "state.starting",
    states: ["STARTING"],
    match: {
      _tag: "Check",
      when: "STARTING without a reason",
      holds: ({ texts }) => texts.containerReason.length === 0 && texts.statusReason.length === 0 ? "" : null
    },
    verdict: "wait",
    retry: "wait",
    because: { ko: "이미지를 받고 컨테이너를 준비하는 중입니다", en: "its image is pulled and its container prepared" },
    next: { ko: "몇 분 기다리기", en: "wait some minutes" },
    commands: [showJob]
  },
  {
    id: "state.dependencies",
    states: ["PENDING", "SUBMITTED"],
    match: {
      _tag: "Check",
      when: "the job depends on others",
      holds: ({ job }) => (job?.dependsOn ?? []).length > 0 ? job?.dependsOn?.[0]?.jobId ?? "" : null
    },
    verdict: "wait",
    retry: "wait",
    because: { ko: "다른 작업이 먼저 끝나야 합니다", en: "it waits for a job that it depends on" },
    next: { ko: "그 작업을 진단", en: "diagnose that job" },
    commands: [showJob]
  },
  {
    id: "state.accepted",
    states: ["SUBMITTED", "PENDING"],
    match: { _tag: "Check", when: "Batch has the job and has not yet queued it", holds: () => "" },
    verdict: "wait",
    retry: "wait",
    because: { ko: "접수되어 스케줄러를 기다립니다", en: "it was accepted and waits for the scheduler" },
    next: { ko: "1분 뒤 다시 확인", en: "ask again in a minute" },
    commands: [showQueue]
  },
  unrecognised
]
