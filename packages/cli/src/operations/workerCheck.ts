import { ExitCode } from "@lectern/worker-video"
import { Effect } from "effect"
import { fileURLToPath } from "node:url"
import { type CheckOutcome, failure, pass, unrecognised } from "./CheckOutcome.ts"
import { type ProgramEnd, runProgram } from "./runProgram.ts"
import { foreignModules, readTrace, traceOption } from "./workerTrace.ts"
import { words } from "./Words.ts"

export interface WorkerCheckOptions {
  /** The image to run instead of this checkout's sources. */
  readonly image: string | null
  /** The command of the container engine, with its own options; the first of podman and docker that answers where it is not given. */
  readonly engine: string | undefined
  /** `PATH` and the like, for finding programs. */
  readonly path: string
  /** Where the worker's program is, for tests of workers that are none. */
  readonly program?: string
}

const limit = "30 seconds"
const workerProgram = fileURLToPath(import.meta.resolve("@lectern/worker-video/main"))
const asksFor = "VIDEO_JOB_ID"

/** Without a network, with a root that cannot be written to and without anything in its environment: alone. */
const containerArguments = (image: string): ReadonlyArray<string> => [
  "run", "--rm", "--pull", "never", "--network", "none", "--read-only", "--tmpfs", "/tmp", "--cap-drop", "all",
  "--ulimit", "nofile=4096:4096", "--ulimit", "nproc=4096:4096", "--env", `NODE_OPTIONS=${traceOption}`, image
]

const findEngine = Effect.fnUntraced(function*(env: Readonly<Record<string, string>>) {
  for (const engine of ["podman", "docker"]) {
    const answered = yield* runProgram(engine, ["info"], { env, limit: "10 seconds" }).pipe(
      Effect.map(({ exitCode }) => exitCode === 0),
      Effect.catchTag("ProgramUnavailable", () => Effect.succeed(false))
    )
    if (answered) return [engine]
  }
  return []
})

const noEngine = failure(
  words("컨테이너 엔진(podman, docker)이 없거나 응답하지 않습니다", "no container engine (podman, docker) answers"),
  words(
    "엔진을 시작하거나, --docker 없이 실행해 소스의 워커를 검사하세요",
    "start one, or run without --docker to check the worker from its sources"
  )
)

const judge = ({ exitCode, stderr, stdout }: ProgramEnd, where: string): CheckOutcome => {
  const trace = readTrace(stderr)
  if (/no such image|image not known|No such image|Unable to find image|does not resolve to an image/i.test(stderr)) {
    return failure(
      words(`이미지 ${where} 이(가) 이 컴퓨터에 없습니다`, `image ${where} is not on this machine`),
      words("이미지를 빌드하거나 받은 뒤 다시 실행하세요", "build or pull it and run again")
    )
  }
  if (trace === null) {
    const lastLine = stderr.trim().split("\n").at(-1) ?? ""
    return unrecognised(
      words(
        `워커 ${where} 이(가) 시작되지 않았습니다 (종료 코드 ${exitCode})`,
        `the worker ${where} did not start (exit code ${exitCode})`
      ),
      lastLine.slice(0, 160)
    )
  }
  const foreign = foreignModules(trace)
  if (foreign.length > 0) {
    return failure(
      words(
        `워커가 API 의 모듈을 불러옵니다: ${foreign[0] ?? ""}`,
        `the worker loads modules that are not its own, ${foreign.length} of them: ${foreign[0] ?? ""}`
      ),
      words("`npm run boundaries` 로 그 import 를 찾아 없애세요", "find the import with `npm run boundaries` and remove it")
    )
  }
  if (exitCode !== ExitCode.configuration || !`${stderr}${stdout}`.includes(asksFor)) {
    return failure(
      words(
        `설정 없이 시작한 워커가 ${ExitCode.configuration} 대신 종료 코드 ${exitCode} (으)로 끝났습니다`,
        `the worker, started without configuration, ended with exit code ${exitCode} instead of ${ExitCode.configuration}`
      ),
      words(
        "이미지의 entrypoint 와 command 가 packages/worker-video/src/main.ts 를 가리키는지 확인하세요",
        "check that entrypoint and command lead to packages/worker-video/src/main.ts"
      )
    )
  }
  if (trace.work !== null) {
    return failure(
      words(`워커가 작업 폴더에 쓸 수 없습니다 (${trace.work})`, `the worker cannot write to its work directory (${trace.work})`),
      words("LECTERN_WORK_DIR 또는 /tmp 를 쓸 수 있게 하세요", "make LECTERN_WORK_DIR, or /tmp, writable for it")
    )
  }
  return pass(words(
    `단독으로 시작하여 설정 오류(${exitCode})로 답했습니다: Node ${trace.node}, 모듈 ${trace.modules.length}개, API 모듈 0개`,
    `starts alone and answers with its configuration error (${exitCode}): Node ${trace.node}, `
    + `${trace.modules.length} modules loaded, none of the API's`
  ))
}

/**
 * Starts the worker without configuration, and reads off a trace of the module loader what it loaded. The trace holds what the
 * program imports before it reads its configuration; it has no later imports of its own.
 */
export const workerCheck = Effect.fnUntraced(function*(options: WorkerCheckOptions) {
  const env = { PATH: options.path }
  const { image } = options
  if (image === null) {
    return yield* runProgram(process.execPath, [traceOption, options.program ?? workerProgram], { env, limit }).pipe(
      Effect.map((end) => judge(end, "packages/worker-video"))
    )
  }
  const [engine, ...engineArguments] = options.engine === undefined
    ? yield* findEngine(env)
    : options.engine.split(" ").filter((word) => word !== "")
  if (engine === undefined) return noEngine
  return yield* runProgram(engine, [...engineArguments, ...containerArguments(image)], { env, limit }).pipe(
    Effect.map((end) => judge(end, image)),
    Effect.catchIf((error) => error.reason === "NotFound", () => Effect.succeed(noEngine))
  )
}, Effect.catchTag("ProgramUnavailable", (error) =>
  Effect.succeed(
    failure(
      error.reason === "TimeLimit"
        ? words("워커가 30초 안에 끝나지 않았습니다", "the worker did not answer within 30 seconds")
        : error.reason === "Killed"
        ? words("워커가 신호(OOM 등)로 종료되었습니다", "the worker was ended by a signal, as by a memory limit")
        : words(`워커를 시작할 수 없습니다: ${error.detail}`, `the worker cannot be started: ${error.detail}`),
      words("워커의 로그와 이미지의 entrypoint 를 확인하세요", "look at the worker's log and at the image's entrypoint")
    )
  )))
