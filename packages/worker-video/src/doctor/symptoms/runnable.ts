import type { Facts } from "../Facts.ts"
import type { Symptom } from "../Symptom.ts"
import {
  showDefinition,
  showEnvironment,
  showIdentity,
  showQueue,
  showQuota,
  showScaling,
  showSnapshot
} from "./commands.ts"

const states = ["RUNNABLE"]

const noReason = (facts: Facts, holds: boolean): string | null => facts.texts.statusReason.length === 0 && holds ? "" : null

/** Batch's own words about a job that stands at the head of its queue. */
export const runnableSymptoms: ReadonlyArray<Symptom> = [
  {
    id: "runnable.capacity",
    states,
    match: { _tag: "Text", field: "statusReason", prefix: "CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY" },
    verdict: "found",
    retry: "wait",
    because: { ko: "EC2에 요청한 타입의 여유 용량이 없습니다", en: "EC2 has no capacity for its instance types" },
    next: { ko: "타입·가용 영역을 늘리고 온디맨드 환경을 둘째로 추가", en: "add families and zones, an on-demand environment second" },
    commands: [showEnvironment, showScaling]
  },
  {
    id: "runnable.max-vcpus",
    states,
    match: { _tag: "Text", field: "statusReason", prefix: "MISCONFIGURATION:COMPUTE_ENVIRONMENT_MAX_RESOURCE" },
    verdict: "found",
    retry: "after-fix",
    because: { ko: "모든 환경의 maxvCpus가 작업의 vCPU보다 작습니다", en: "maxvCpus of every environment is below its vCPUs" },
    next: { ko: "maxvCpus를 올리거나 vCPU 요청을 줄이기", en: "raise maxvCpus or ask for fewer vCPUs" },
    commands: [showEnvironment, showDefinition]
  },
  {
    id: "runnable.requirement-while-scaling",
    states,
    match: {
      _tag: "Check",
      when: "MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT within 10 minutes, with no instance registered that is known of",
      holds: ({ registeredInstances, texts, waitedMinutes }) =>
        waitedMinutes !== null && waitedMinutes < 10 && (registeredInstances ?? 0) === 0
          ? texts.statusReason.find((text) => text.trim().toUpperCase().startsWith("MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT")) ?? null
          : null
    },
    verdict: "wait",
    retry: "wait",
    because: {
      ko: "환경이 0에서 늘어나는 동안의 일시적인 JOB_RESOURCE_REQUIREMENT일 수 있습니다",
      en: "JOB_RESOURCE_REQUIREMENT can pass while scaling from 0"
    },
    next: { ko: "10분까지 기다린 뒤 다시 확인", en: "wait until 10 minutes have passed and ask again" },
    commands: [showEnvironment]
  },
  {
    id: "runnable.job-requirement",
    states,
    match: { _tag: "Text", field: "statusReason", prefix: "MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT" },
    verdict: "found",
    retry: "after-fix",
    because: {
      ko: "허용된 타입 중 vCPU {vcpus}개와 {memory} MiB를 줄 수 있는 것이 없습니다",
      en: "no allowed type offers {vcpus} vCPUs with {memory} MiB"
    },
    next: { ko: "메모리를 줄이거나 타입 추가", en: "lower the memory or add types" },
    commands: [showDefinition, showEnvironment]
  },
  {
    id: "runnable.instance-configuration",
    states,
    match: { _tag: "Text", field: "statusReason", prefix: "MISCONFIGURATION:EC2_INSTANCE_CONFIGURATION_UNSUPPORTED" },
    verdict: "found",
    retry: "after-fix",
    because: {
      ko: "인스턴스 타입이 가용 영역·시작 템플릿·AMI와 맞지 않습니다",
      en: "its instance type does not go with zone, template or AMI"
    },
    next: { ko: "DescribeInstanceTypeOfferings와 AMI 아키텍처 확인", en: "check the type's offerings and the AMI" },
    commands: [showEnvironment, "aws ec2 describe-instance-type-offerings --location-type availability-zone"]
  },
  {
    id: "runnable.service-role",
    states,
    match: { _tag: "Text", field: "statusReason", prefix: "MISCONFIGURATION:SERVICE_ROLE_PERMISSIONS" },
    verdict: "found",
    retry: "after-fix",
    because: { ko: "Batch 서비스 역할에 권한이 부족합니다", en: "Batch's service role lacks a permission" },
    next: { ko: "AWSBatchServiceRole 정책 또는 서비스 연결 역할 사용", en: "use the service-linked role or AWSBatchServiceRole" },
    commands: [showEnvironment]
  },
  {
    id: "runnable.environments-invalid",
    states,
    match: { _tag: "Text", field: "statusReason", prefix: "ACTION_REQUIRED" },
    verdict: "found",
    retry: "after-fix",
    because: { ko: "큐의 컴퓨팅 환경이 모두 INVALID입니다", en: "the queue's compute environments are invalid" },
    next: { ko: "환경의 statusReason을 보고 수정", en: "repair what the environment's statusReason says" },
    commands: [showEnvironment, showQueue]
  },
  {
    id: "runnable.undetermined",
    states,
    match: { _tag: "Text", field: "statusReason", prefix: "UNDETERMINED" },
    verdict: "unrecognised",
    retry: "unknown",
    because: { ko: "AWS도 원인을 모른다고 합니다 (UNDETERMINED)", en: "AWS itself does not know (UNDETERMINED)" },
    next: { ko: "큐·환경·클러스터 인스턴스·할당량 순서로 확인", en: "check queue, environment, instances and quota in order" },
    commands: [showQueue, showEnvironment, showScaling, showQuota]
  },
  {
    id: "runnable.service-environment",
    states,
    match: { _tag: "Text", field: "statusReason", prefix: "MISCONFIGURATION:SERVICE_ENVIRONMENT_MAX_RESOURCE" },
    verdict: "found",
    retry: "after-fix",
    because: {
      ko: "SageMaker 서비스 작업의 한도이며 인코딩과 무관합니다",
      en: "it is a SageMaker service job over its limit, none of ours"
    },
    next: { ko: "작업이 들어간 큐 확인", en: "check which queue it was submitted to" },
    commands: [showQueue]
  },
  {
    id: "runnable.quota-management",
    states,
    match: { _tag: "Text", field: "statusReason", prefix: "MISCONFIGURATION:QUOTA_MANAGEMENT_LIMIT_EXCEEDED" },
    verdict: "found",
    retry: "after-fix",
    because: { ko: "SageMaker 할당 관리 한도이며 인코딩과 무관합니다", en: "it is over SageMaker's quota management, none of ours" },
    next: { ko: "작업이 들어간 큐 확인", en: "check which queue it was submitted to" },
    commands: [showQueue]
  },
  {
    id: "runnable.unrecognised",
    states,
    match: { _tag: "Check", when: "any other statusReason", holds: ({ texts }) => texts.statusReason[0] ?? null },
    verdict: "unrecognised",
    retry: "unknown",
    because: { ko: "알려지지 않은 이유입니다: \"{quote}\"", en: "of a reason that is not recognised: \"{quote}\"" },
    next: { ko: "이 문장으로 AWS 문서 검색", en: "look up this text" },
    commands: [showQueue, showEnvironment]
  }
]

/** Why a job may rightly wait without a word from Batch; looked at when nothing is wrong with queue and environments. */
export const waitingSymptoms: ReadonlyArray<Symptom> = [
  {
    id: "runnable.cannot-look",
    states,
    match: {
      _tag: "Check",
      when: "Batch gives no reason, and describing its queue or environments was refused or failed",
      holds: (facts) => {
        const found = facts.missing.find(({ call }) => /^Describe(JobQueues|ComputeEnvironments)$/.test(call))
        return found === undefined ? null : noReason(facts, true) === null ? null : `${found.call}: ${found.fault}`
      }
    },
    verdict: "configuration",
    retry: "unknown",
    because: { ko: "이유를 볼 수 없습니다 ({quote})", en: "of something that cannot be seen ({quote})" },
    next: {
      ko: "batch:Describe*와 batch:GetJobQueueSnapshot 허용",
      en: "allow batch:Describe* and batch:GetJobQueueSnapshot"
    },
    commands: [showIdentity]
  },
  {
    id: "runnable.reason-not-yet",
    states,
    match: {
      _tag: "Check",
      when: "no reason yet, and the job has waited less than 3 minutes, or stood at the head of the queue less than 3",
      holds: (facts) =>
        noReason(facts, (facts.waitedMinutes ?? 3) < 3 || (facts.position === 1 && (facts.minutesAtPosition ?? 3) < 3))
    },
    verdict: "wait",
    retry: "wait",
    because: {
      ko: "기다리기 시작한 지 3분이 안 되어 AWS가 아직 이유를 쓰지 않았습니다",
      en: "it is new: AWS writes its reason after some 3 minutes"
    },
    next: { ko: "3분 뒤 다시 확인", en: "ask again in 3 minutes" },
    commands: [showSnapshot]
  },
  {
    id: "runnable.not-at-head",
    states,
    match: {
      _tag: "Check",
      when: "no reason, and the queue's snapshot shows the job behind others",
      holds: (facts) => noReason(facts, (facts.position ?? 1) > 1)
    },
    verdict: "wait",
    retry: "wait",
    because: { ko: "큐에서 {position}번째로 앞 작업을 기다립니다", en: "it is number {position} in its queue" },
    next: { ko: "앞 작업이 시작되기를 기다리거나 큐 맨 앞 작업 진단", en: "wait, or diagnose the job at the head" },
    commands: [showSnapshot]
  },
  {
    id: "runnable.environment-full",
    states,
    match: {
      _tag: "Check",
      when: "no reason, desiredvCpus has reached maxvCpus and instances are registered",
      holds: (facts) =>
        noReason(
          facts,
          facts.maxVcpus !== null && facts.desiredVcpus !== null && facts.maxVcpus > 0 && facts.desiredVcpus >= facts.maxVcpus &&
            facts.registeredInstances !== 0
        )
    },
    verdict: "wait",
    retry: "wait",
    because: { ko: "환경의 vCPU {maxVcpus}개를 모두 쓰는 중입니다", en: "all {maxVcpus} vCPUs of its environment are in use" },
    next: { ko: "실행 중인 작업을 기다리거나 maxvCpus 올리기", en: "wait for running jobs or raise maxvCpus" },
    commands: [showEnvironment, "aws batch list-jobs --job-queue {queue} --job-status RUNNING"]
  },
  {
    id: "runnable.scaling",
    states,
    match: {
      _tag: "Check",
      when: "no reason, within 15 minutes, and desiredvCpus is above 0",
      holds: (facts) => noReason(facts, (facts.desiredVcpus ?? 0) > 0 && (facts.waitedMinutes ?? 15) < 15)
    },
    verdict: "wait",
    retry: "wait",
    because: { ko: "환경이 인스턴스를 늘리는 중입니다 ({minutes}분째)", en: "its environment is scaling up, for {minutes} minutes now" },
    next: { ko: "15분까지 기다리고 종료하지 말 것", en: "wait up to 15 minutes; do not terminate it" },
    commands: [showEnvironment]
  },
  {
    id: "runnable.young",
    states,
    match: {
      _tag: "Check",
      when: "no reason, and the job has waited less than 15 minutes",
      holds: (facts) => noReason(facts, (facts.waitedMinutes ?? 15) < 15)
    },
    verdict: "wait",
    retry: "wait",
    because: { ko: "{minutes}분째 용량을 기다립니다", en: "it has waited for capacity for {minutes} minutes" },
    next: { ko: "15분까지 기다리고 종료하지 말 것", en: "wait up to 15 minutes; do not terminate it" },
    commands: [showSnapshot, showEnvironment]
  },
  {
    id: "runnable.no-cause",
    states,
    match: { _tag: "Check", when: "no reason, and none of the checks found anything", holds: (facts) => noReason(facts, true) },
    verdict: "unrecognised",
    retry: "unknown",
    because: { ko: "이유가 없고 점검에서도 원인을 찾지 못했습니다", en: "of nothing that Batch or the checks can name" },
    next: { ko: "클러스터 인스턴스, 확장 활동, 할당량 확인", en: "look at instances, scaling activities and quota" },
    commands: [showSnapshot, showEnvironment, showScaling, showQuota]
  }
]
