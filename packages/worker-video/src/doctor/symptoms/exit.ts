import { ExitCode } from "../../ExitCode.ts"
import { onlyExitCodeSpeaks, type RetryHelp, type Symptom } from "../Symptom.ts"
import type { Wording } from "../Wording.ts"
import { showDefinition, showJob, showLog } from "./commands.ts"

const exit = (code: number, retry: RetryHelp, because: Wording, next: Wording): Symptom => ({
  id: `exit.${code}`,
  states: ["FAILED"],
  match: { _tag: "ExitCode", code },
  verdict: "found",
  retry,
  because,
  next,
  commands: [showLog]
})

/** What the program said by its exit code, where no text says more. Ours are those of `ExitCode`. */
export const exitSymptoms: ReadonlyArray<Symptom> = [
  {
    id: "exit.ffmpeg-memory",
    states: ["FAILED"],
    // The system ended ffmpeg alone: the container went on, so that neither Batch nor ECS knows of a lack of memory.
    match: { _tag: "Text", field: "log", prefix: "", mentions: ["The memory limit of"] },
    verdict: "found",
    retry: "with-more-memory",
    because: {
      ko: "메모리 한도({memory} MiB) 때문에 ffmpeg가 죽었습니다",
      en: "its memory limit ({memory} MiB) ended ffmpeg"
    },
    next: { ko: "작업 정의의 MEMORY를 올리고 재시도", en: "raise the definition's MEMORY, then retry" },
    commands: [showLog, showDefinition]
  },
  exit(ExitCode.badInput, "no", {
    ko: "입력 영상을 처리할 수 없습니다 (64)",
    en: "its input cannot be encoded (exit 64)"
  }, { ko: "작업의 오류 메시지를 보고 원본 교체", en: "read the job's error message and replace the video" }),
  exit(ExitCode.bug, "no", {
    ko: "프로그램의 결함입니다 (70)",
    en: "of a fault of our program (exit 70)"
  }, { ko: "로그와 함께 보고", en: "report it with its log" }),
  exit(ExitCode.temporary, "yes", {
    ko: "DB나 저장소 등 주변 서비스가 실패했습니다 (75)",
    en: "a service around it failed (exit 75)"
  }, { ko: "로그에 나온 서비스를 확인하고 재시도", en: "check the service that the log names, then retry" }),
  exit(ExitCode.configuration, "after-fix", {
    ko: "작업자의 설정이 틀립니다 (78)",
    en: "its configuration is wrong (exit 78)"
  }, { ko: "로그가 나열한 환경 변수 수정", en: "correct the variables that the log lists" }),
  exit(ExitCode.preempted, "yes", {
    ko: "SIGTERM을 받고 멈췄습니다 (143: 선점 또는 중지)",
    en: "it was told to stop (exit 143)"
  }, { ko: "재시도 (규칙: onExitCode 143 RETRY)", en: "retry; the rule is onExitCode 143 RETRY" }),
  exit(1, "unknown", {
    ko: "프로그램이 오류로 끝났습니다 (1)",
    en: "the program failed (exit 1, none of ours)"
  }, { ko: "로그 마지막 줄 확인 (자식 프로세스의 메모리 부족일 수 있음)", en: "read the log; a child's OOM can look like this" }),
  exit(2, "no", { ko: "명령 사용법이 틀립니다 (2)", en: "the command's usage is wrong (exit 2)" }, {
    ko: "작업 정의의 command 수정",
    en: "correct the definition's command"
  }),
  exit(126, "no", { ko: "명령을 실행할 수 없습니다 (126)", en: "the command cannot be run (exit 126)" }, {
    ko: "실행 권한과 아키텍처 확인",
    en: "check its mode and its architecture"
  }),
  exit(127, "no", { ko: "명령을 찾을 수 없습니다 (127)", en: "the command was not found (exit 127)" }, {
    ko: "command와 PATH 수정",
    en: "correct the command or PATH"
  }),
  exit(134, "unknown", { ko: "프로그램이 abort로 죽었습니다 (134)", en: "the program aborted (exit 134)" }, {
    ko: "로그 확인 후 결함으로 보고",
    en: "read the log and report it"
  }),
  exit(137, "unknown", {
    ko: "SIGKILL로 죽었지만 누가 보냈는지 알 수 없습니다 (137: OOM·시간초과·Spot 문구 없음)",
    en: "it was killed (137) and no text says by OOM, timeout or Spot"
  }, { ko: "ECS 태스크의 stoppedReason과 메모리 사용량 확인", en: "see the ECS task's stoppedReason and its memory" }),
  exit(139, "unknown", { ko: "네이티브 코드가 죽었습니다 (139, segfault)", en: "native code crashed (exit 139, segfault)" }, {
    ko: "로그와 입력을 보관하고 보고",
    en: "keep the input and report it with the log"
  }),
  {
    id: "exit.0",
    states: ["FAILED"],
    match: { _tag: "ExitCode", code: ExitCode.done },
    verdict: "unrecognised",
    retry: "unknown",
    because: { ko: "프로그램은 0으로 끝났는데 Batch는 실패라고 합니다", en: "Batch calls it failed although it exited 0" },
    next: { ko: "출력과 statusReason 확인", en: "check its output and statusReason" },
    commands: [showJob, showLog]
  },
  {
    id: "exit.other",
    states: ["FAILED"],
    match: {
      _tag: "Check",
      when: "any other exit code, with \"Essential container in task exited\" or without a text",
      holds: (facts) => onlyExitCodeSpeaks(facts) ? "" : null
    },
    verdict: "unrecognised",
    retry: "unknown",
    because: { ko: "뜻이 정해지지 않은 종료 코드 {exitCode}입니다", en: "it exited with {exitCode}, which has no meaning of ours" },
    next: { ko: "로그 확인", en: "read its log" },
    commands: [showLog, showDefinition]
  }
]
