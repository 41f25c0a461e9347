import type { Symptom } from "../Symptom.ts"
import {
  showDefinition,
  showEndpoints,
  showEnvironment,
  showJob,
  showLog,
  showLogGroups,
  showManifest
} from "./commands.ts"

const states = ["STARTING", "FAILED"]

const pull = "CannotPullContainerError"
const init = "ResourceInitializationError"

/** A container that did not come up. Within one prefix the more particular text comes first. */
export const startSymptoms: ReadonlyArray<Symptom> = [
  {
    id: "pull.platform",
    states,
    match: { _tag: "Text", field: "containerReason", prefix: pull, mentions: ["matching platform", "no matching manifest for"] },
    verdict: "found",
    retry: "no",
    because: { ko: "이미지에 이 인스턴스 아키텍처용 빌드가 없습니다", en: "the image was not built for the instance's architecture" },
    next: { ko: "그 아키텍처로 이미지를 빌드하거나 타입 변경", en: "build it for that platform or change the types" },
    commands: [showManifest, showEnvironment]
  },
  {
    id: "pull.rate-limit",
    states,
    match: { _tag: "Text", field: "containerReason", prefix: pull, mentions: ["toomanyrequests"] },
    verdict: "found",
    retry: "yes",
    because: { ko: "Docker Hub 다운로드 한도에 걸렸습니다", en: "Docker Hub's pull limit was met" },
    next: { ko: "잠시 뒤 재시도, ECR pull-through 캐시 사용", en: "retry later and use an ECR pull-through cache" },
    commands: [showDefinition]
  },
  {
    id: "pull.unauthorized",
    states,
    match: {
      _tag: "Text",
      field: "containerReason",
      prefix: pull,
      mentions: ["unauthorized", "denied", "no basic auth credentials", "not authorized"]
    },
    verdict: "found",
    retry: "no",
    because: { ko: "ECR에서 이미지를 받을 권한이 없습니다", en: "its role may not pull the image from ECR" },
    next: { ko: "실행 역할 또는 인스턴스 역할에 ECR 권한 추가", en: "give the execution or instance role the ECR actions" },
    commands: [showDefinition]
  },
  {
    id: "pull.unreachable",
    states,
    match: {
      _tag: "Text",
      field: "containerReason",
      prefix: pull,
      mentions: ["i/o timeout", "context deadline exceeded", "dial tcp", "request canceled"]
    },
    verdict: "found",
    retry: "after-fix",
    because: { ko: "ECR로 가는 네트워크 경로가 없습니다", en: "there is no route to ECR" },
    next: { ko: "NAT 또는 ecr.api, ecr.dkr, S3 엔드포인트 추가", en: "add NAT or the ecr.api, ecr.dkr and S3 endpoints" },
    commands: [showEndpoints, showEnvironment]
  },
  {
    id: "pull.not-found",
    states,
    match: { _tag: "Text", field: "containerReason", prefix: pull, mentions: ["not found", "manifest unknown", "does not exist"] },
    verdict: "found",
    retry: "no",
    because: { ko: "이미지 태그나 저장소가 없습니다", en: "the image's tag or repository does not exist" },
    next: { ko: "이미지를 올리거나 작업 정의의 태그 수정", en: "push the image or correct the definition's tag" },
    commands: [showDefinition]
  },
  {
    id: "pull.unrecognised",
    states,
    match: { _tag: "Text", field: "containerReason", prefix: pull },
    verdict: "unrecognised",
    retry: "unknown",
    because: { ko: "이미지를 받지 못했습니다: \"{quote}\"", en: "its image could not be pulled: \"{quote}\"" },
    next: { ko: "이미지와 네트워크 확인", en: "check the image and the network" },
    commands: [showDefinition, showEndpoints]
  },
  {
    id: "init.logs-unreachable",
    states,
    match: {
      _tag: "Text",
      field: "containerReason",
      prefix: `${init}: failed to validate logger args`,
      mentions: ["cannot find the Amazon CloudWatch log group", "connection issue", "signal: killed"]
    },
    verdict: "found",
    retry: "after-fix",
    because: { ko: "CloudWatch Logs로 가는 네트워크 경로가 없습니다", en: "there is no route to CloudWatch Logs" },
    next: { ko: "NAT 또는 logs 엔드포인트 추가", en: "add NAT or the logs endpoint" },
    commands: [showEndpoints]
  },
  {
    id: "init.logs-denied",
    states,
    match: {
      _tag: "Text",
      field: "containerReason",
      prefix: `${init}: failed to validate logger args`,
      mentions: ["AccessDenied"]
    },
    verdict: "found",
    retry: "no",
    because: { ko: "실행 역할에 로그 생성 권한이 없습니다", en: "its role may not create log streams" },
    next: { ko: "logs:CreateLogStream을 group과 group:* ARN에 허용", en: "allow logs:CreateLogStream on group and group:*" },
    commands: [showLogGroups, showDefinition]
  },
  {
    id: "init.log-group-missing",
    states,
    match: {
      _tag: "Text",
      field: "containerReason",
      prefix: `${init}: failed to validate logger args`,
      mentions: ["log group does not exist", "ResourceNotFoundException"]
    },
    verdict: "found",
    retry: "no",
    because: { ko: "로그 그룹이 없습니다", en: "its log group does not exist" },
    next: { ko: "{logGroup} 생성", en: "create {logGroup}" },
    commands: [showLogGroups, "aws logs create-log-group --log-group-name {logGroup}"]
  },
  {
    id: "init.secret-not-json",
    states,
    match: { _tag: "Text", field: "containerReason", prefix: init, mentions: ["invalid character"] },
    verdict: "found",
    retry: "no",
    because: { ko: "시크릿이 JSON이 아니거나 키가 틀립니다", en: "a secret is not JSON or its key is wrong" },
    next: { ko: "시크릿 값과 valueFrom 키 수정", en: "correct the secret's value or the key in valueFrom" },
    commands: [showDefinition]
  },
  {
    id: "init.secrets-denied",
    states,
    match: {
      _tag: "Text",
      field: "containerReason",
      prefix: `${init}: unable to pull secrets or registry auth`,
      mentions: ["AccessDenied", "not authorized"]
    },
    verdict: "found",
    retry: "no",
    because: { ko: "실행 역할이 시크릿을 읽을 수 없습니다", en: "its execution role may not read the secret" },
    next: { ko: "실행 역할에 secretsmanager/ssm/kms 권한 추가", en: "allow the role secretsmanager, ssm and kms" },
    commands: [showDefinition]
  },
  {
    id: "init.secrets-unreachable",
    states,
    match: {
      _tag: "Text",
      field: "containerReason",
      prefix: `${init}: unable to pull secrets or registry auth`,
      mentions: ["i/o timeout", "context deadline exceeded", "dial tcp", "request canceled"]
    },
    verdict: "found",
    retry: "after-fix",
    because: { ko: "시크릿/ECR로 가는 네트워크 경로가 없습니다", en: "there is no route to the secrets or to ECR" },
    next: { ko: "NAT 또는 secretsmanager, ssm, ecr 엔드포인트 추가", en: "add NAT or those endpoints" },
    commands: [showEndpoints]
  },
  {
    id: "init.unrecognised",
    states,
    match: { _tag: "Text", field: "containerReason", prefix: init },
    verdict: "unrecognised",
    retry: "unknown",
    because: { ko: "컨테이너를 준비하지 못했습니다: \"{quote}\"", en: "it could not be prepared: \"{quote}\"" },
    next: { ko: "실행 역할과 네트워크 확인", en: "check the execution role and the network" },
    commands: [showDefinition, showEndpoints]
  },
  {
    id: "docker.timeout",
    states,
    match: { _tag: "Text", field: "containerReason", prefix: "DockerTimeoutError" },
    verdict: "found",
    retry: "yes",
    because: {
      ko: "호스트의 Docker가 제시간에 답하지 않았습니다 (디스크, 큰 이미지, 로그 드라이버)",
      en: "Docker was too slow: disk busy, huge image or log driver"
    },
    next: { ko: "재시도, EBS 처리량과 logs 엔드포인트 확인", en: "retry; check EBS throughput and the logs endpoint" },
    commands: [showEnvironment]
  },
  {
    id: "docker.inspect",
    states,
    match: { _tag: "Text", field: "containerReason", prefix: "CannotInspectContainerError" },
    verdict: "found",
    retry: "yes",
    because: {
      ko: "Docker가 바빠 결과를 확인하지 못했습니다 (작업은 성공했을 수 있음)",
      en: "Docker was overloaded; the job may have succeeded"
    },
    next: { ko: "출력을 먼저 확인하고 재시도", en: "check the output first, then retry" },
    commands: [showLog]
  },
  {
    id: "docker.start",
    states,
    match: { _tag: "Text", field: "containerReason", prefix: "CannotStartContainerError" },
    verdict: "found",
    retry: "no",
    because: { ko: "이미지의 시작 명령을 실행할 수 없습니다", en: "the image's entrypoint or command cannot be run" },
    next: { ko: "command, 실행 권한, PATH 수정", en: "correct the command, its mode and PATH" },
    commands: [showDefinition]
  },
  {
    id: "docker.volume",
    states,
    match: { _tag: "Text", field: "containerReason", prefix: "CannotCreateVolumeError" },
    verdict: "found",
    retry: "after-fix",
    because: { ko: "EFS/EBS 볼륨을 연결하지 못했습니다", en: "an EFS or EBS volume could not be mounted" },
    next: { ko: "볼륨 설정, 보안 그룹, 마운트 대상 확인", en: "check the volume, its security group and targets" },
    commands: [showDefinition]
  },
  {
    id: "start.exec-format",
    states,
    match: { _tag: "Text", field: "log", prefix: "", mentions: ["exec format error"] },
    verdict: "found",
    retry: "no",
    because: {
      ko: "이미지가 인스턴스와 다른 아키텍처용입니다 (exec format error)",
      en: "the image is of another architecture (exec format error)"
    },
    next: { ko: "인스턴스 아키텍처로 다시 빌드", en: "build it for the instance's architecture" },
    commands: [showManifest, showEnvironment]
  },
  {
    id: "start.network-interface",
    states,
    match: { _tag: "Text", field: "statusReason", prefix: "Timeout waiting for network interface provisioning" },
    verdict: "found",
    retry: "yes",
    because: { ko: "Fargate 네트워크 인터페이스가 제때 준비되지 않았습니다", en: "Fargate had no network interface in time" },
    next: { ko: "재시도, 서브넷의 남은 IP 확인", en: "retry; check the subnets' free addresses" },
    commands: [showEnvironment]
  },
  {
    id: "start.ephemeral-storage",
    states,
    match: { _tag: "Text", field: "statusReason", prefix: "Timeout waiting for EphemeralStorage provisioning" },
    verdict: "found",
    retry: "yes",
    because: { ko: "Fargate 임시 저장소가 제때 준비되지 않았습니다", en: "Fargate had no ephemeral storage in time" },
    next: { ko: "재시도", en: "retry" },
    commands: [showJob]
  }
]

/** Looked at after everything that a container's reason can say. */
export const startFallback: ReadonlyArray<Symptom> = [
  {
    id: "start.failed",
    states,
    match: {
      _tag: "Check",
      when: "statusReason begins with `Task failed to start`, and there is no container.reason",
      holds: ({ texts }) =>
        texts.containerReason.length === 0
          ? texts.statusReason.find((text) => /^task failed to start/i.test(text.trim())) ?? null
          : null
    },
    verdict: "unrecognised",
    retry: "unknown",
    because: {
      ko: "컨테이너가 시작되지 않았고 container.reason도 없습니다",
      en: "its task failed to start and container.reason is empty"
    },
    next: { ko: "1시간 안에 ECS 태스크의 stoppedReason 확인", en: "read the ECS task's stoppedReason within the hour" },
    commands: [showJob, showEnvironment]
  }
]
