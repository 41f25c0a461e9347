import { assert, describe, it } from "@effect/vitest"
import { type BatchJob, BatchServer, type BatchWorld, ClosedPort, SilentPort } from "@lectern/harness"
import { Context, Effect, Layer, Redacted, Schema } from "effect"
import {
  BatchEvidence,
  BatchEvidenceAws,
  diagnose,
  encodeBundle,
  Evidence,
  expectedNames,
  lintSetup,
  setupOf
} from "../../src/doctor/index.ts"
import { readFixtures } from "./Fixture.ts"

const names = expectedNames()
const [, { bundle }] = readFixtures("symptoms", Schema.Struct({ bundle: Evidence })).find(([name]) => name === "queue-disabled") ??
  ["", { bundle: {} }]
const [, sound] = readFixtures("sound", Evidence).find(([name]) => name === "spot-x86") ?? ["", {}]

const ourId = "0190f3c2-aaaa-4bbb-8ccc-000000000001"
const [job] = bundle.describeJobs?.jobs ?? []
const batchId = job?.jobId ?? ""

const run = (jobId: string, videoJobId: string, fields: Record<string, unknown> = {}): BatchJob => ({
  ...job,
  jobName: "video-0190f3c2",
  status: job?.status ?? "FAILED",
  container: {
    ...job?.container,
    environment: [{ name: "VIDEO_JOB_ID", value: videoJobId }, { name: "DATABASE_URL", value: "postgres://secret" }]
  },
  ...fields,
  jobId
})

const failedActivity = (StatusMessage: string) =>
  `<DescribeScalingActivitiesResponse xmlns="http://autoscaling.amazonaws.com/doc/2011-01-01/"><DescribeScalingActivitiesResult>`
  + `<Activities><member><ActivityId>1</ActivityId><AutoScalingGroupName>g</AutoScalingGroupName><Cause>c</Cause>`
  + `<StartTime>2026-11-21T00:00:00Z</StartTime><StatusCode>Failed</StatusCode><StatusMessage>${StatusMessage}</StatusMessage></member>`
  + `</Activities></DescribeScalingActivitiesResult></DescribeScalingActivitiesResponse>`
const scalingGroup = (name: string) =>
  `<DescribeAutoScalingGroupsResponse xmlns="http://autoscaling.amazonaws.com/doc/2011-01-01/"><DescribeAutoScalingGroupsResult>`
  + `<AutoScalingGroups><member><AutoScalingGroupName>${name}</AutoScalingGroupName></member></AutoScalingGroups>`
  + `</DescribeAutoScalingGroupsResult></DescribeAutoScalingGroupsResponse>`

const world: BatchWorld & { readonly jobs: ReadonlyArray<BatchJob> } = {
  jobs: [run(batchId, ourId)],
  jobQueues: bundle.describeJobQueues?.jobQueues ?? [],
  computeEnvironments: bundle.describeComputeEnvironments?.computeEnvironments ?? [],
  jobDefinitions: sound.describeJobDefinitions?.jobDefinitions ?? [],
  frontOfQueue: { jobs: [{ jobArn: job?.jobArn, earliestTimeAtPosition: 1 }], lastUpdatedAt: 2 },
  others: {
    DescribeLogGroups: { logGroups: [{ logGroupName: names.logGroup, retentionInDays: 30 }] },
    DescribeClusters: { clusters: [{ clusterArn: "c", registeredContainerInstancesCount: 0 }] },
    ListContainerInstances: { containerInstanceArns: [] },
    DescribeAutoScalingGroups: scalingGroup("another-asg-1")
  }
}

const evidenceAt = (endpoint: string, requestTimeoutMillis = 2_000) =>
  Effect.map(
    Layer.build(BatchEvidenceAws.layer({
      endpoint,
      region: "us-east-1",
      credentials: { accessKeyId: "key", secretAccessKey: Redacted.make("secret") },
      requestTimeoutMillis,
      maxAttempts: 1
    })),
    (context) => Context.get(context, BatchEvidence)
  )

describe("BatchEvidenceAws", () => {
  it.effect("collects a job by Batch's id and all that stands around it", () =>
    Effect.gen(function*() {
      const server = yield* BatchServer.make(world)
      const evidence = yield* (yield* evidenceAt(server.url)).ofJob(batchId, names)
      assert.deepStrictEqual(evidence.missing, [])
      assert.strictEqual(evidence.describeJobs?.jobs?.[0]?.jobId, batchId)
      assert.strictEqual(evidence.describeJobDefinitions?.jobDefinitions?.length, 1)
      assert.strictEqual(evidence.getJobQueueSnapshot?.frontOfQueue?.jobs?.length, 1)
      assert.match(evidence.collectedWith ?? "", /^@aws-sdk\/client-batch \d/)
      assert.strictEqual(diagnose(evidence, 0).symptom, "queue.disabled")
      assert.deepStrictEqual(server.calls.map(({ call }) => call).toSorted(), [
        "/v1/describecomputeenvironments",
        "/v1/describejobdefinitions",
        "/v1/describejobqueues",
        "/v1/describejobs",
        "/v1/getjobqueuesnapshot",
        "DescribeAutoScalingGroups",
        "DescribeClusters",
        "DescribeLogGroups",
        "ListContainerInstances"
      ])
    }))

  /** An array of ours with three children, each in a state. */
  const array = (status: string, children: ReadonlyArray<string>): ReadonlyArray<BatchJob> => {
    const statusSummary: Record<string, number> = {}
    for (const state of children) statusSummary[state] = (statusSummary[state] ?? 0) + 1
    const reason = { statusReason: "Essential container in task exited" }
    return [
      run("array", ourId, { status, createdAt: 1, arrayProperties: { size: 3, statusSummary } }),
      ...children.map((state, index) =>
        run(`array:${index}`, ourId, { status: state, createdAt: 2, arrayProperties: { index }, ...reason }))
    ]
  }

  it.effect("looks at the child of an array that has most to say, by the array's id and by ours", () =>
    Effect.gen(function*() {
      for (
        const [status, children, spoken, symptom] of [
          ["FAILED", ["SUCCEEDED", "FAILED", "FAILED"], "array:1", "state.unrecognised"],
          ["PENDING", ["SUCCEEDED", "RUNNABLE", "RUNNABLE"], "array:1", "queue.disabled"],
          ["PENDING", ["RUNNABLE", "STARTING", "FAILED"], "array:1", "state.unrecognised"],
          ["PENDING", ["RUNNING", "FAILED", "RUNNABLE"], "array", "state.array-running"],
          ["PENDING", ["SUBMITTED", "SUBMITTED", "SUBMITTED"], "array", "state.array"],
          ["SUCCEEDED", ["SUCCEEDED", "SUCCEEDED", "SUCCEEDED"], "array", "state.succeeded"]
        ] as const
      ) {
        const server = yield* BatchServer.make({ ...world, jobs: array(status, children) })
        const { ofJob } = yield* evidenceAt(server.url)
        for (const asked of ["array", ourId]) {
          const diagnosis = diagnose(yield* ofJob(asked, names), 0)
          assert.deepStrictEqual([diagnosis.jobId, diagnosis.symptom], [spoken, symptom], `${status} ${children.join()}`)
          assert.isTrue(diagnosis.evidence.some(({ field }) => field === "array.statusSummary"))
        }
      }
    }))

  it.effect("says of an array itself what it can where its children cannot be listed, and what was refused", () =>
    Effect.gen(function*() {
      const server = yield* BatchServer.make({ ...world, jobs: array("FAILED", ["FAILED", "SUCCEEDED", "SUCCEEDED"]) })
      server.refuse({ status: 403, code: "AccessDeniedException" }, "/v1/listjobs")
      const evidence = yield* (yield* evidenceAt(server.url)).ofJob("array", names)
      assert.deepStrictEqual(evidence.missing?.map(({ call, kind }) => [call, kind]), [["ListJobs", "refused"]])
      assert.strictEqual(diagnose(evidence, 0).symptom, "end.array-child")
    }))

  const enabled = { ...world, jobQueues: (world.jobQueues ?? []).map((queue) => Object.assign({}, queue, { state: "ENABLED" })) }

  it.effect("looks at cluster, instances and scaling of a job that waits, and finds there what Batch does not say", () =>
    Effect.gen(function*() {
      const server = yield* BatchServer.make({
        ...enabled,
        jobs: [run(batchId, ourId, { status: "RUNNABLE", createdAt: 1 })],
        others: {
          ...world.others,
          ListContainerInstances: { containerInstanceArns: ["i"] },
          DescribeContainerInstances: { containerInstances: [{ ec2InstanceId: "i-1", agentConnected: false }] },
          DescribeAutoScalingGroups: scalingGroup("academy-video-batch-ce-asg-1"),
          DescribeScalingActivities: failedActivity("You have requested more vCPU capacity than your current vCPU limit of 0 allows")
        }
      })
      const evidence = yield* (yield* evidenceAt(server.url)).ofJob(batchId, names)
      assert.deepStrictEqual(evidence.missing, [])
      assert.strictEqual(evidence.describeClusters?.clusters?.[0]?.registeredContainerInstancesCount, 0)
      assert.strictEqual(evidence.describeContainerInstances?.containerInstances?.[0]?.agentConnected, false)
      assert.strictEqual(diagnose(evidence, 0).symptom, "environment.vcpu-quota")
    }))

  it.effect("reads the log and the task of a job that has ended", () =>
    Effect.gen(function*() {
      const server = yield* BatchServer.make({
        ...enabled,
        jobs: [run(batchId, ourId, {
          status: "FAILED",
          statusReason: "Essential container in task exited",
          container: { exitCode: 1, logStreamName: "video/default/1", taskArn: "arn:task" }
        })],
        others: {
          DescribeLogGroups: { logGroups: [] },
          GetLogEvents: { events: [{ message: "exec /usr/bin/node: exec format error" }, { message: "at redis://u:secret@r:6379" }] },
          DescribeTasks: { tasks: [{ taskArn: "arn:task", stoppedReason: "Essential container in task exited" }] }
        }
      })
      const evidence = yield* (yield* evidenceAt(server.url)).ofJob(batchId, names)
      assert.deepStrictEqual(evidence.missing, [])
      assert.strictEqual(diagnose(evidence, 0).symptom, "start.exec-format")
      assert.deepStrictEqual(evidence.logTail, ["exec /usr/bin/node: exec format error", "at redis://***@r:6379"])
      assert.strictEqual(evidence.describeTasks?.tasks?.[0]?.stoppedReason, "Essential container in task exited")
      assert.deepInclude(server.calls.find(({ call }) => call === "GetLogEvents")?.body, {
        logGroupName: names.logGroup,
        logStreamName: "video/default/1"
      })
    }))

  it.effect("takes what it may not look at around a job for evidence, and goes on", () =>
    Effect.gen(function*() {
      const server = yield* BatchServer.make(world)
      const denied = { status: 400, code: "AccessDeniedException" }
      for (const call of ["DescribeLogGroups", "DescribeClusters", "ListContainerInstances", "DescribeAutoScalingGroups"]) {
        server.refuse(denied, call)
      }
      const evidence = yield* (yield* evidenceAt(server.url)).ofJob(batchId, names)
      assert.deepStrictEqual(
        evidence.missing?.map(({ call, kind }) => [call, kind]).toSorted(),
        [
          ["DescribeAutoScalingGroups", "refused"],
          ["DescribeClusters", "refused"],
          ["DescribeLogGroups", "refused"],
          ["ListContainerInstances", "refused"]
        ]
      )
      assert.strictEqual(diagnose(evidence, 0).symptom, "queue.disabled")
    }))

  it.effect("finds our own job by its name and the id in its environment, and takes its latest run", () =>
    Effect.gen(function*() {
      const strangers = Array.from({ length: 250 }, (_, index) => run(`stranger-${index}`, `0190f3c2-of-another-${index}`, { createdAt: 1_900_000_000_000 }))
      const server = yield* BatchServer.make({
        ...world,
        jobs: [run("older", ourId, { createdAt: 1 }), ...strangers, run("latest", ourId, { createdAt: 2 })]
      })
      const evidence = yield* (yield* evidenceAt(server.url)).ofJob(ourId, names)
      assert.deepStrictEqual(evidence.describeJobs?.jobs?.map(({ jobId }) => jobId), ["latest", "older"])
      assert.strictEqual(diagnose(evidence, 0).jobId, "latest")
      assert.strictEqual(server.calls.filter(({ call }) => call === "/v1/listjobs").length, 3)
    }))

  it.effect("says that Batch mentions no such job only when Batch has answered so", () =>
    Effect.gen(function*() {
      const server = yield* BatchServer.make({ ...world, jobs: [] })
      const batch = yield* evidenceAt(server.url)
      assert.strictEqual(diagnose(yield* batch.ofJob(ourId, names), 0).symptom, "job.not-found")
      server.refuse({ status: 403, code: "AccessDeniedException" }, "/v1/listjobs")
      assert.strictEqual(diagnose(yield* batch.ofJob(ourId, names), 0).symptom, "call.refused")
    }))

  for (
    const [status, code, symptom] of [
      [403, "AccessDeniedException", "call.refused"],
      [403, "UnrecognizedClientException", "call.configuration"],
      [403, "ExpiredTokenException", "call.configuration"],
      [400, "ClientException", "call.rejected"],
      [429, "TooManyRequestsException", "call.unreachable"],
      [400, "ThrottlingException", "call.unreachable"],
      [500, "ServerException", "call.unreachable"]
    ] as const
  ) {
    it.effect(`takes ${code} of DescribeJobs for ${symptom}`, () =>
      Effect.gen(function*() {
        const server = yield* BatchServer.make(world)
        server.refuse({ status, code }, "/v1/describejobs")
        const diagnosis = diagnose(yield* (yield* evidenceAt(server.url)).ofJob(batchId, names), 0)
        assert.strictEqual(diagnosis.symptom, symptom)
        assert.strictEqual(diagnosis.state, "UNKNOWN")
      }))
  }

  it.effect("keeps what was answered when another call is refused, and says which", () =>
    Effect.gen(function*() {
      const server = yield* BatchServer.make(world)
      server.refuse({ status: 403, code: "AccessDeniedException" }, "/v1/describecomputeenvironments")
      const evidence = yield* (yield* evidenceAt(server.url)).ofJob(batchId, names)
      assert.deepStrictEqual(evidence.missing?.map(({ call, kind }) => ({ call, kind })), [
        { call: "DescribeComputeEnvironments", kind: "refused" }
      ])
      assert.strictEqual(diagnose(evidence, 0).symptom, "queue.disabled")
    }))

  it.effect("calls a server that refuses connections or never answers unreachable", () =>
    Effect.gen(function*() {
      const silent = yield* SilentPort.make
      const closed = yield* ClosedPort.make
      for (const { port } of [silent, closed]) {
        const evidence = yield* (yield* evidenceAt(`http://127.0.0.1:${port}`, 200)).ofJob(batchId, names)
        assert.strictEqual(diagnose(evidence, 0).symptom, "call.unreachable")
      }
    }))

  it.effect("takes no value of the environment along but our ids", () =>
    Effect.gen(function*() {
      const server = yield* BatchServer.make(world)
      const saved = encodeBundle(yield* (yield* evidenceAt(server.url)).ofJob(batchId, names))
      assert.notInclude(saved, "postgres://secret")
      assert.include(saved, ourId)
    }))

  it.effect("looks at a setup as it is deployed", () =>
    Effect.gen(function*() {
      const server = yield* BatchServer.make(world)
      const evidence = yield* (yield* evidenceAt(server.url)).ofSetup(names)
      assert.deepStrictEqual(lintSetup(setupOf([evidence], true), names).map(({ rule }) => rule), ["queue-usable"])
    }))

  it.effect("finds names missing where nothing is deployed under them", () =>
    Effect.gen(function*() {
      const server = yield* BatchServer.make()
      const evidence = yield* (yield* evidenceAt(server.url)).ofSetup(names)
      assert.deepStrictEqual(lintSetup(setupOf([evidence], true), names).map(({ found, rule }) => [rule, found.split(" ")[0]]), [
        ["name-of-queue", "none"],
        ["name-of-definition", "none"],
        ["name-of-environment", "none"]
      ])
    }))
})
