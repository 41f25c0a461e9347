import type { ComputeEnvironment } from "../Evidence.ts"
import type { Facts } from "../Facts.ts"
import { nameOf } from "../ExpectedNames.ts"
import { instanceType } from "../InstanceType.ts"
import type { Symptom } from "../Symptom.ts"
import {
  enableEnvironment,
  enableQueue,
  lint,
  showCluster,
  showDefinition,
  showEnvironment,
  showEndpoints,
  showQueue,
  showQuota,
  showScaling
} from "./commands.ts"

const states = ["RUNNABLE"]

const is = (value: string | null | undefined, wanted: string): boolean => value?.toUpperCase() === wanted

/** True of every environment, and there is one: a single healthy one is enough to start a job. */
const everyEnvironment = (facts: Facts, test: (environment: ComputeEnvironment) => boolean): boolean =>
  facts.environments.length > 0 && facts.environments.every(test)

const firstReason = (facts: Facts): string => facts.texts.environmentReason[0] ?? ""

/** What is wrong with the queue or its environments in themselves, whatever Batch says about the job. */
export const environmentSymptoms: ReadonlyArray<Symptom> = [
  {
    id: "queue.disabled",
    states,
    match: { _tag: "Check", when: "the queue's state is DISABLED", holds: ({ queue }) => is(queue?.state, "DISABLED") ? "" : null },
    verdict: "found",
    retry: "after-fix",
    because: { ko: "작업 큐가 DISABLED입니다", en: "the job queue is DISABLED" },
    next: { ko: "큐를 ENABLED로 변경", en: "enable the queue" },
    commands: [enableQueue]
  },
  {
    id: "queue.deleting",
    states,
    match: {
      _tag: "Check",
      when: "the queue's status is DELETING or DELETED",
      holds: ({ queue }) => is(queue?.status, "DELETING") || is(queue?.status, "DELETED") ? queue?.statusReason ?? "" : null
    },
    verdict: "found",
    retry: "after-fix",
    because: { ko: "작업 큐가 삭제되는 중입니다", en: "the job queue is being deleted" },
    next: { ko: "배포된 큐로 다시 제출 (멈췄으면 역할 복원)", en: "submit to the deployed queue; if it is stuck, restore its role" },
    commands: [showQueue]
  },
  {
    id: "queue.invalid",
    states,
    match: {
      _tag: "Check",
      when: "the queue's status is INVALID",
      holds: ({ queue }) => is(queue?.status, "INVALID") ? queue?.statusReason ?? "" : null
    },
    verdict: "found",
    retry: "after-fix",
    because: { ko: "작업 큐가 INVALID입니다", en: "the job queue is INVALID" },
    next: { ko: "큐의 statusReason대로 수정", en: "repair what the queue's statusReason says" },
    commands: [showQueue]
  },
  {
    id: "queue.no-environment",
    states,
    match: {
      _tag: "Check",
      when: "the queue's computeEnvironmentOrder is empty",
      holds: ({ queue }) => queue?.computeEnvironmentOrder?.length === 0 ? "" : null
    },
    verdict: "found",
    retry: "after-fix",
    because: { ko: "작업 큐에 컴퓨팅 환경이 연결되어 있지 않습니다", en: "the job queue has no compute environment" },
    next: { ko: "computeEnvironmentOrder에 환경 추가", en: "add one to computeEnvironmentOrder" },
    commands: [showQueue]
  },
  {
    id: "environment.assume-role",
    states,
    match: { _tag: "Text", field: "environmentReason", prefix: "CLIENT_ERROR", mentions: ["sts:AssumeRole"] },
    verdict: "found",
    retry: "after-fix",
    because: { ko: "Batch가 컴퓨팅 환경의 서비스 역할을 맡을 수 없습니다", en: "Batch may not assume the environment's service role" },
    next: { ko: "serviceRole을 전체 ARN으로, 신뢰 정책 수정", en: "give serviceRole as a full ARN and fix its trust" },
    commands: [showEnvironment]
  },
  {
    id: "environment.spot-fleet-role",
    states,
    match: { _tag: "Text", field: "environmentReason", prefix: "CLIENT_ERROR", mentions: ["IamFleetRole"] },
    verdict: "found",
    retry: "after-fix",
    because: { ko: "컴퓨팅 환경의 Spot Fleet 역할이 잘못되었습니다", en: "the environment's Spot fleet role is wrong" },
    next: { ko: "spotIamFleetRole 수정", en: "correct spotIamFleetRole" },
    commands: [showEnvironment]
  },
  {
    id: "environment.not-valid",
    states,
    match: { _tag: "Text", field: "queueReason", prefix: "", mentions: ["is not valid"] },
    verdict: "wait",
    retry: "wait",
    because: { ko: "큐가 만들어질 때 컴퓨팅 환경이 아직 VALID가 아니었습니다", en: "the environment was not VALID when the queue was made" },
    next: { ko: "환경이 VALID가 된 뒤 큐 갱신", en: "update the queue once the environment is VALID" },
    commands: [showEnvironment, showQueue]
  },
  {
    id: "environment.deleting",
    states,
    match: {
      _tag: "Check",
      when: "every environment's status is DELETING or DELETED",
      holds: (facts) =>
        everyEnvironment(facts, ({ status }) => is(status, "DELETING") || is(status, "DELETED")) ? firstReason(facts) : null
    },
    verdict: "found",
    retry: "after-fix",
    because: { ko: "컴퓨팅 환경이 DELETING입니다", en: "the compute environment is DELETING" },
    next: { ko: "멈췄으면 삭제된 서비스 역할을 복원", en: "if it is stuck, restore the service role that was removed first" },
    commands: [showEnvironment]
  },
  {
    id: "environment.disabled",
    states,
    match: {
      _tag: "Check",
      when: "every environment's state is DISABLED",
      holds: (facts) => everyEnvironment(facts, ({ state }) => is(state, "DISABLED")) ? "" : null
    },
    verdict: "found",
    retry: "after-fix",
    because: { ko: "모든 컴퓨팅 환경이 DISABLED입니다", en: "every compute environment is DISABLED" },
    next: { ko: "환경을 ENABLED로 변경", en: "enable the environment" },
    commands: [enableEnvironment]
  },
  {
    id: "environment.invalid",
    states,
    match: {
      _tag: "Check",
      when: "every environment's status is INVALID, for a reason that is not in this table",
      holds: (facts) => everyEnvironment(facts, ({ status }) => is(status, "INVALID")) ? firstReason(facts) : null
    },
    verdict: "found",
    retry: "after-fix",
    because: { ko: "모든 컴퓨팅 환경이 INVALID입니다: {quote}", en: "every compute environment is INVALID: {quote}" },
    next: { ko: "statusReason대로 환경 수정", en: "repair what statusReason says" },
    commands: [showEnvironment]
  },
  {
    id: "environment.changing",
    states,
    match: {
      _tag: "Check",
      when: "every environment's status is CREATING or UPDATING",
      holds: (facts) => everyEnvironment(facts, ({ status }) => is(status, "CREATING") || is(status, "UPDATING")) ? "" : null
    },
    verdict: "wait",
    retry: "wait",
    because: { ko: "컴퓨팅 환경이 만들어지거나 갱신되는 중입니다", en: "the compute environment is being made or updated" },
    next: { ko: "VALID가 될 때까지 대기", en: "wait until it is VALID" },
    commands: [showEnvironment]
  },
  {
    id: "environment.no-vcpus",
    states,
    match: { _tag: "Check", when: "maxvCpus of all environments is 0", holds: ({ maxVcpus }) => maxVcpus === 0 ? "" : null },
    verdict: "found",
    retry: "after-fix",
    because: { ko: "maxvCpus가 0이라 인스턴스를 시작할 수 없습니다", en: "maxvCpus is 0, so that no instance may start" },
    next: { ko: "maxvCpus를 {vcpus} 이상으로 변경", en: "raise maxvCpus to {vcpus} or more" },
    commands: [showEnvironment]
  },
  {
    id: "environment.too-few-vcpus",
    states,
    match: {
      _tag: "Check",
      when: "the job asks for more vCPUs than maxvCpus of any environment",
      holds: ({ environments, vcpus }) =>
        vcpus !== null && environments.length > 0 &&
          environments.every(({ computeResources }) => computeResources?.maxvCpus != null && computeResources.maxvCpus < vcpus)
          ? ""
          : null
    },
    verdict: "found",
    retry: "after-fix",
    because: {
      ko: "작업은 vCPU {vcpus}개, 환경은 모두 합쳐 최대 {maxVcpus}개",
      en: "it asks for {vcpus} vCPUs and maxvCpus allows {maxVcpus}"
    },
    next: { ko: "maxvCpus를 올리거나 vCPU 요청을 줄이기", en: "raise maxvCpus or ask for fewer vCPUs" },
    commands: [showEnvironment, showDefinition]
  },
  {
    id: "environment.types-too-large",
    states,
    match: {
      _tag: "Check",
      when: "the smallest instance type has more vCPUs than maxvCpus",
      holds: (facts) =>
        everyEnvironment(facts, ({ computeResources }) => {
          const types = (computeResources?.instanceTypes ?? []).map(instanceType)
          const max = computeResources?.maxvCpus
          return max != null && types.length > 0 && types.every((type) => type !== null && type.vcpus > max)
        })
          ? ""
          : null
    },
    verdict: "found",
    retry: "after-fix",
    because: {
      ko: "가장 작은 인스턴스도 maxvCpus {maxVcpus}보다 큽니다",
      en: "even the smallest instance type has more than {maxVcpus} vCPUs"
    },
    next: { ko: "maxvCpus를 올리기", en: "raise maxvCpus" },
    commands: [showEnvironment]
  },
  {
    id: "environment.memory-never-fits",
    states,
    match: {
      _tag: "Check",
      when: "the job asks for more memory than any instance type leaves to containers",
      holds: ({ memory, memoryLimit }) => memory !== null && memoryLimit !== null && memory > memoryLimit ? "" : null
    },
    verdict: "found",
    retry: "after-fix",
    because: {
      ko: "메모리 {memory} MiB는 인스턴스가 컨테이너에 줄 수 있는 양(최대 {memoryLimit} MiB)을 넘습니다",
      en: "{memory} MiB never fit: ECS keeps part, containers get at most {memoryLimit}"
    },
    next: { ko: "메모리를 줄이거나 더 큰 타입 추가", en: "lower the memory or add a larger type" },
    commands: [showDefinition, showEnvironment, lint]
  },
  {
    id: "environment.architecture",
    states,
    match: {
      _tag: "Check",
      when: "the image was built for an architecture that no instance type has",
      holds: ({ architectures, imageArchitecture }) =>
        imageArchitecture !== null && architectures.size > 0 && !architectures.has(imageArchitecture) ? "" : null
    },
    verdict: "found",
    retry: "after-fix",
    because: {
      ko: "이미지는 {imageArchitecture}, 인스턴스는 {instanceArchitecture}입니다",
      en: "the image is for {imageArchitecture} and the instances are {instanceArchitecture}"
    },
    next: { ko: "같은 아키텍처로 빌드하거나 타입 변경", en: "build for that architecture or change the types" },
    commands: [showEnvironment]
  },
  {
    id: "environment.vcpu-quota",
    states,
    match: {
      _tag: "Check",
      when: "a scaling activity failed with VcpuLimitExceeded or names a quota or limit",
      holds: ({ texts }) => texts.scalingActivity.find((text) => /vcpulimitexceeded|vcpu limit|quota|limit exceeded/i.test(text)) ?? null
    },
    verdict: "found",
    retry: "after-fix",
    because: { ko: "계정의 EC2 vCPU 할당량이 찼습니다", en: "the account's EC2 vCPU quota is used up" },
    next: { ko: "할당량 상향 요청 또는 사용량 줄이기", en: "ask for a higher quota or free some" },
    commands: [showQuota, showScaling]
  },
  {
    id: "environment.spot-role-missing",
    states,
    match: {
      _tag: "Check",
      when: "a SPOT environment with BEST_FIT (or no strategy) has no spotIamFleetRole, or a scaling activity names the fleet role",
      holds: (facts) => {
        const text = facts.texts.scalingActivity.find((activity) => /fleet role|AWSServiceRoleForEC2Spot/i.test(activity))
        if (text !== undefined) return text
        return everyEnvironment(facts, ({ computeResources }) =>
            is(computeResources?.type, "SPOT") && computeResources?.spotIamFleetRole == null &&
            (computeResources?.allocationStrategy == null || is(computeResources.allocationStrategy, "BEST_FIT")))
          ? ""
          : null
      }
    },
    verdict: "found",
    retry: "after-fix",
    because: { ko: "Spot 환경에 필요한 Spot 역할이 없습니다", en: "the Spot environment lacks its Spot role" },
    next: { ko: "역할을 만들거나 SPOT_PRICE_CAPACITY_OPTIMIZED 사용", en: "make the role or use SPOT_PRICE_CAPACITY_OPTIMIZED" },
    commands: [showEnvironment, showScaling]
  },
  {
    id: "environment.agent-disconnected",
    states,
    match: {
      _tag: "Check",
      when: "describe-container-instances shows instances whose agent is not connected, and no others",
      holds: ({ disconnectedAgents, registeredInstances }) =>
        disconnectedAgents > 0 && disconnectedAgents >= (registeredInstances ?? 0) ? "" : null
    },
    verdict: "found",
    retry: "after-fix",
    because: { ko: "등록된 인스턴스의 ECS 에이전트 연결이 끊겼습니다", en: "the ECS agents of its instances are disconnected" },
    next: { ko: "ECS로 가는 네트워크와 에이전트 확인 후 교체", en: "check their route to ECS and replace them" },
    commands: [showCluster, showEndpoints]
  },
  {
    id: "environment.instances-cannot-join",
    states,
    match: {
      _tag: "Check",
      when: "desiredvCpus is above 0, no instance has registered with the cluster, and the job has waited 15 minutes",
      holds: ({ desiredVcpus, registeredInstances, waitedMinutes }) =>
        (desiredVcpus ?? 0) > 0 && registeredInstances === 0 && (waitedMinutes ?? 0) >= 15 ? "" : null
    },
    verdict: "found",
    retry: "after-fix",
    because: { ko: "인스턴스가 켜져도 ECS 클러스터에 등록되지 않습니다", en: "instances start but never join the ECS cluster" },
    next: { ko: "NAT/퍼블릭 IP/엔드포인트, 인스턴스 역할, AMI 확인", en: "check NAT, public IP or endpoints, instance role, AMI" },
    commands: [showCluster, showEndpoints, showEnvironment]
  },
  {
    id: "environment.launch-template-image",
    states,
    match: {
      _tag: "Check",
      when: "an environment has a launch template and neither imageId nor ec2Configuration, and nothing scales after 15 minutes",
      holds: (facts) =>
        (facts.waitedMinutes ?? 0) >= 15 && (facts.registeredInstances ?? 0) === 0 &&
          everyEnvironment(facts, ({ computeResources }) =>
            computeResources?.launchTemplate != null && computeResources.imageId == null &&
            (computeResources.ec2Configuration ?? []).length === 0)
          ? ""
          : null
    },
    verdict: "found",
    retry: "after-fix",
    because: { ko: "시작 템플릿에 AMI(imageId)가 정해져 있지 않습니다", en: "a launch template is used and imageId is not set" },
    next: { ko: "ec2Configuration 또는 imageId 지정", en: "set ec2Configuration or imageId" },
    commands: [showEnvironment]
  },
  {
    id: "environment.not-scaling",
    states,
    match: {
      _tag: "Check",
      when: "desiredvCpus is still 0 after 15 minutes, with the job at the head of its queue or its place unknown",
      holds: ({ desiredVcpus, position, texts, waitedMinutes }) =>
        desiredVcpus === 0 && (waitedMinutes ?? 0) >= 15 && (position ?? 1) === 1 && texts.statusReason.length === 0 ? "" : null
    },
    verdict: "found",
    retry: "after-fix",
    because: { ko: "{minutes}분이 지나도 desiredvCpus가 0입니다", en: "desiredvCpus is still 0 after {minutes} minutes" },
    next: { ko: "서비스 역할 권한, 타입, 할당량 확인", en: "check the service role, the types and the quota" },
    commands: [showEnvironment, showScaling, showQuota]
  },
  {
    id: "names.queue-differs",
    states,
    match: {
      _tag: "Check",
      when: "after 15 minutes the job waits in a queue of another name than the code submits to",
      holds: ({ job, names, texts, waitedMinutes }) =>
        job?.jobQueue != null && (waitedMinutes ?? 0) >= 15 && texts.statusReason.length === 0 &&
          nameOf(job.jobQueue) !== names.jobQueue
          ? nameOf(job.jobQueue)
          : null
    },
    verdict: "found",
    retry: "after-fix",
    because: { ko: "코드가 쓰는 큐가 아닌 {quote}에 있습니다", en: "it waits in {quote}, not in the queue of our code" },
    next: { ko: "VIDEO_BATCH_JOB_QUEUE와 배포 이름 맞추기", en: "make VIDEO_BATCH_JOB_QUEUE and the deployment agree" },
    commands: [lint]
  },
  {
    id: "names.definition-differs",
    states,
    match: {
      _tag: "Check",
      when: "after 15 minutes the job is of a definition of another name than the code submits with",
      holds: ({ job, names, texts, waitedMinutes }) =>
        job?.jobDefinition != null && (waitedMinutes ?? 0) >= 15 && texts.statusReason.length === 0 &&
          nameOf(job.jobDefinition) !== names.jobDefinition
          ? nameOf(job.jobDefinition)
          : null
    },
    verdict: "found",
    retry: "after-fix",
    because: { ko: "코드가 쓰는 정의가 아닌 {quote}입니다", en: "it is of {quote}, not of the definition of our code" },
    next: { ko: "VIDEO_BATCH_JOB_DEFINITION과 배포 이름 맞추기", en: "make VIDEO_BATCH_JOB_DEFINITION and deployment agree" },
    commands: [lint]
  },
  {
    id: "names.environment-differs",
    states,
    match: {
      _tag: "Check",
      when: "after 15 minutes the queue leads to no environment of the name that our infrastructure gives",
      holds: ({ environments, environmentsKnown, names, queue, texts, waitedMinutes }) => {
        const order = queue?.computeEnvironmentOrder?.flatMap((it) => it.computeEnvironment == null ? [] : [nameOf(it.computeEnvironment)])
        return order !== undefined && order.length > 0 && (waitedMinutes ?? 0) >= 15 && texts.statusReason.length === 0 &&
            environmentsKnown && environments.length === 0 && !order.includes(names.computeEnvironment)
          ? order[0] ?? ""
          : null
      }
    },
    verdict: "found",
    retry: "after-fix",
    because: { ko: "큐가 없는 환경 {quote}을(를) 가리킵니다", en: "its queue names {quote}, which is not there" },
    next: { ko: "환경 이름 맞추기", en: "make the environment's names agree" },
    commands: [showQueue, lint]
  }
]
