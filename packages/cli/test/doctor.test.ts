import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { JobStorePostgres, layerTcp, migrate } from "@lectern/adapters/postgres"
import { JobRecorder, JobStore, newJobId, TenantId } from "@lectern/domain"
import { ProgressMirrorMemory } from "@lectern/domain/memory"
import { type BatchFault, BatchServer, ClosedPort, describeIf, PostgresServer } from "@lectern/harness"
import { Cause, Console, Effect, Exit, FileSystem, Layer, Redacted, type Scope } from "effect"
import { Command } from "effect/cli"
import { CommandFailed } from "../src/CommandFailed.ts"
import { doctor } from "../src/commands/doctor.ts"
import { lintBatch } from "../src/commands/lintBatch.ts"

const lectern = Command.make("lectern").pipe(Command.withSubcommands([doctor, lintBatch]))

interface Ended {
  readonly exitCode: number
  readonly out: string
  readonly errors: string
}

/** Runs `lectern` with these words, and returns what it has printed and its exit code. */
const run = (...words: ReadonlyArray<string>) =>
  Effect.gen(function*() {
    const out: Array<string> = []
    const errors: Array<string> = []
    const exit = yield* Command.runWith(lectern, { version: "0" })(words).pipe(
      Effect.provideService(Console.Console, {
        ...globalThis.console,
        log: (text: string) => out.push(text),
        error: (text: string) => errors.push(text)
      }),
      Effect.exit
    )
    const failure = Exit.isSuccess(exit) ? null : Cause.squash(exit.cause)
    if (failure !== null && !(failure instanceof CommandFailed)) throw new Error("The command died", { cause: failure })
    return { exitCode: failure === null ? 0 : failure.exitCode, out: out.join("\n"), errors: errors.join("\n") } satisfies Ended
  })

/** The environment that the SDK reads, put back afterwards. */
const withVariables = (variables: Readonly<Record<string, string>>): Effect.Effect<void, never, Scope.Scope> =>
  Effect.asVoid(Effect.acquireRelease(
    Effect.sync(() => {
      const before = Object.keys(variables).map((name) => [name, process.env[name]] as const)
      Object.assign(process.env, variables)
      return before
    }),
    (before) =>
      Effect.sync(() => {
        for (const [name, value] of before) {
          if (value === undefined) delete process.env[name]
          else process.env[name] = value
        }
      })
  ))

const atBatch = (url: string) =>
  withVariables({
    AWS_ENDPOINT_URL: url,
    AWS_REGION: "us-east-1",
    AWS_ACCESS_KEY_ID: "key",
    AWS_SECRET_ACCESS_KEY: "secret",
    AWS_EC2_METADATA_DISABLED: "true"
  })

const denied: BatchFault = { status: 403, code: "AccessDeniedException" }

const jobId = "3f6c0f7e-2d0b-4a38-9a1c-5d2f1f0c9b11"
const failedJob = {
  jobId,
  jobName: "video-0190f3c2",
  jobQueue: "academy-video-batch-queue",
  jobDefinition: "academy-video-batch-jobdef",
  status: "FAILED",
  statusReason: "Job attempt duration exceeded timeout",
  timeout: { attemptDurationSeconds: 3600 },
  container: { exitCode: 137, environment: [{ name: "DATABASE_URL", value: "postgres://secret" }] }
}

const written = Effect.fnUntraced(function*(name: string, value: unknown) {
  const fs = yield* FileSystem.FileSystem
  const folder = yield* fs.makeTempDirectoryScoped({ prefix: "lectern-doctor-" })
  yield* fs.writeFileString(`${folder}/${name}`, typeof value === "string" ? value : JSON.stringify(value))
  return `${folder}/${name}`
})

describe("lectern doctor", () => {
  it.effect("says one sentence first, in Korean unless told otherwise, and exits 0 when it knows the cause", () =>
    Effect.gen(function*() {
      const file = yield* written("job.json", { describeJobs: { jobs: [failedJob] } })
      const korean = yield* run("doctor", "--bundle", file)
      const english = yield* run("doctor", "--bundle", file, "--lang", "en")
      assert.strictEqual(korean.exitCode, 0)
      assert.match(korean.out, new RegExp(`^작업 ${jobId}은\\(는\\) FAILED 상태: .*3600초.*; 다음: .*\\n`))
      assert.match(english.out, new RegExp(`^Job ${jobId} is FAILED because .*3600 s.*; next: .*\\n`))
      assert.include(english.out, "container.exitCode")
      assert.include(english.out, `aws batch describe-jobs --jobs ${jobId}`)
    }).pipe(Effect.provide(NodeServices.layer)))

  it.effect("prints one JSON object for machines", () =>
    Effect.gen(function*() {
      const file = yield* written("job.json", { describeJobs: { jobs: [failedJob] } })
      const said = JSON.parse((yield* run("doctor", "--bundle", file, "--json")).out)
      assert.strictEqual(said.symptom, "end.timeout")
      assert.strictEqual(said.retry, "no")
      assert.match(said.sentence.en, /^Job /)
    }).pipe(Effect.provide(NodeServices.layer)))

  it.effect("exits 1 for what it does not recognise, and quotes it", () =>
    Effect.gen(function*() {
      const file = yield* written("job.json", { describeJobs: { jobs: [{ jobId, status: "FAILED", statusReason: "A new reason" }] } })
      const said = yield* run("doctor", "--bundle", file)
      assert.strictEqual(said.exitCode, 1)
      assert.include(said.out, "\"A new reason\"")
    }).pipe(Effect.provide(NodeServices.layer)))

  it.effect("exits 64 with a reason for a bundle that is missing, broken, empty, or asked for beside a job", () =>
    Effect.gen(function*() {
      const calls = [
        ["--bundle", "/nowhere/job.json"],
        ["--bundle", yield* written("broken.json", "{")],
        ["--bundle", yield* written("wrong.json", { describeJobs: { jobs: 7 } })],
        ["--bundle", yield* written("empty.json", {})],
        ["--bundle", "job.json", jobId],
        []
      ]
      for (const words of calls) {
        const said = yield* run("doctor", ...words)
        assert.deepStrictEqual([said.exitCode, said.out], [64, ""], words.join(" "))
        assert.match(said.errors, /^lectern: Cannot /)
      }
    }).pipe(Effect.provide(NodeServices.layer)))

  it.effect("asks AWS, saves the answers without secrets, and says the same from them", () =>
    Effect.gen(function*() {
      const server = yield* BatchServer.make({ jobs: [failedJob] })
      yield* atBatch(server.url)
      const file = yield* written("saved.json", "")
      const live = yield* run("doctor", jobId, "--save", file)
      const saved = yield* Effect.flatMap(FileSystem.FileSystem, (fs) => fs.readFileString(file))
      assert.strictEqual(live.exitCode, 0)
      assert.notInclude(saved, "postgres://secret")
      assert.strictEqual((yield* run("doctor", "--bundle", file)).out, live.out)
    }).pipe(Effect.provide(NodeServices.layer)))

  it.effect("exits 78 when AWS refuses to tell, and 69 when it cannot be reached", () =>
    Effect.gen(function*() {
      const server = yield* BatchServer.make({ jobs: [failedJob] })
      server.refuse(denied, "/v1/describejobs")
      yield* atBatch(server.url)
      assert.strictEqual((yield* run("doctor", jobId)).exitCode, 78)
      const { port } = yield* ClosedPort.make
      yield* atBatch(`http://127.0.0.1:${port}`)
      assert.strictEqual((yield* run("doctor", jobId)).exitCode, 69)
    }).pipe(Effect.provide(NodeServices.layer)))
})

describeIf(PostgresServer.availability, "lectern doctor beside our database", () => {
  it.live("remembers what Batch said before a termination, and after Batch has forgotten the job", () =>
    Effect.gen(function*() {
      const postgres = yield* PostgresServer.make()
      const url = yield* postgres.createDatabase("doctor")
      const client = layerTcp({ url: Redacted.make(url) })
      const id = yield* Effect.gen(function*() {
        yield* migrate
        const store = yield* JobStore
        const recorder = yield* JobRecorder
        const tenantId = TenantId.make(7)
        const { video } = yield* recorder.commit(
          store.createVideo(tenantId, { title: "1강", filename: "f", contentType: "video/mp4", session: null, fileKey: "k" })
        )
        const created = yield* newJobId
        yield* recorder.commit(store.completeUpload(tenantId, video.id, { jobId: created, fileSize: 1 }))
        return created
      }).pipe(Effect.provide(
        JobRecorder.layer.pipe(
          Layer.provideMerge(Layer.merge(JobStorePostgres.layer, ProgressMirrorMemory.layer)),
          Layer.provideMerge(client)
        )
      ))
      const batchJob = {
        jobId: "batch-1",
        jobName: `video-${id.slice(0, 8)}`,
        status: "RUNNABLE",
        statusReason: "CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY - none of [c6i.xlarge]",
        container: { environment: [{ name: "VIDEO_JOB_ID", value: id }, { name: "VIDEO_TENANT_ID", value: "7" }] }
      }
      const batch = yield* BatchServer.make({ jobs: [batchJob] })
      yield* atBatch(batch.url)
      yield* withVariables({ DATABASE_URL: url })
      const first = JSON.parse((yield* run("doctor", id, "--json")).out)
      assert.strictEqual(first.symptom, "runnable.capacity")
      batch.put({ ...batchJob, status: "FAILED", statusReason: "Stopped by hand", isTerminated: true })
      const second = JSON.parse((yield* run("doctor", id, "--json")).out)
      assert.deepStrictEqual([second.symptom, second.also], ["end.terminated", ["runnable.capacity"]])
      const empty = yield* BatchServer.make()
      yield* atBatch(empty.url)
      const third = yield* run("doctor", id, "--lang", "en")
      assert.match(third.out, /^Job \S+ is UNKNOWN because Batch has forgotten it; it was last seen as "FAILED: Stopped by hand"/)
      yield* postgres.kill
      const away = yield* run("doctor", id, "--lang", "en")
      assert.match(away.out, /no answer: our history +unreachable/)
    }).pipe(Effect.provide(NodeServices.layer)))
})

describe("lectern lint-batch", () => {
  const queue = {
    jobQueueName: "academy-video-batch-queue",
    state: "ENABLED",
    computeEnvironmentOrder: [{ order: 1, computeEnvironment: "academy-video-batch-ce" }]
  }

  it.effect("exits 0 without a finding, and 1 with one that says where, why and what to do", () =>
    Effect.gen(function*() {
      const sound = yield* run("lint-batch", yield* written("queue.json", queue))
      assert.deepStrictEqual([sound.exitCode, sound.out], [0, "No findings"])
      const faulty = yield* run("lint-batch", yield* written("queue.json", { jobQueues: [{ ...queue, state: "DISABLED" }] }))
      assert.strictEqual(faulty.exitCode, 1)
      assert.match(faulty.out, /^queue-usable: job queue academy-video-batch-queue, state: DISABLED\n {2}why: .+\n {2}fix: .+\n1 finding$/)
    }).pipe(Effect.provide(NodeServices.layer)))

  it.effect("checks several files as one setup", () =>
    Effect.gen(function*() {
      const environment = yield* written("environment.json", { computeEnvironmentName: "academy-video-batch-ce-2", state: "ENABLED" })
      const said = yield* run("lint-batch", yield* written("queue.json", queue), environment, "--json")
      assert.deepStrictEqual(
        JSON.parse(said.out).findings.map(({ rule }: { readonly rule: string }) => rule),
        ["queue-environment-exists", "name-of-environment"]
      )
    }).pipe(Effect.provide(NodeServices.layer)))

  it.effect("exits 64 for a file that holds nothing to check, and without anything to do", () =>
    Effect.gen(function*() {
      for (const words of [[yield* written("other.json", { hello: 1 })], ["/nowhere.json"], [], ["x.json", "--live"]]) {
        assert.strictEqual((yield* run("lint-batch", ...words)).exitCode, 64, words.join(" "))
      }
    }).pipe(Effect.provide(NodeServices.layer)))

  it.effect("looks at what is deployed, and does not take a refused look for a sound setup", () =>
    Effect.gen(function*() {
      const server = yield* BatchServer.make({ jobQueues: [queue] })
      yield* atBatch(server.url)
      const said = yield* run("lint-batch", "--live")
      assert.strictEqual(said.exitCode, 1)
      assert.include(said.out, "name-of-definition")
      server.refuse(denied, "/v1/describecomputeenvironments")
      assert.strictEqual((yield* run("lint-batch", "--live")).exitCode, 78)
    }).pipe(Effect.provide(NodeServices.layer)))
})
