/** What stands around a job outside of Batch: its log, its task, its cluster and the group that brings it a machine. */
import {
  AutoScalingClient,
  DescribeAutoScalingGroupsCommand,
  DescribeScalingActivitiesCommand
} from "@aws-sdk/client-auto-scaling"
import { CloudWatchLogsClient, DescribeLogGroupsCommand, GetLogEventsCommand } from "@aws-sdk/client-cloudwatch-logs"
import {
  DescribeClustersCommand,
  DescribeContainerInstancesCommand,
  DescribeTasksCommand,
  ECSClient,
  ListContainerInstancesCommand
} from "@aws-sdk/client-ecs"
import { type AwsClientOptions, clientConfig } from "@lectern/adapters/aws"
import { Effect } from "effect"
import { ask, missingAnswer, together } from "./AwsQuestion.ts"
import type { ComputeEnvironment, Evidence, Job } from "./Evidence.ts"
import type { ExpectedNames } from "./ExpectedNames.ts"

const logLines = 50
const activities = 20
/** So many instances one call describes; a cluster of encodes is smaller, or says enough by these. */
const instances = 100
const groupsOfAPage = 100
const maxGroupPages = 5

const waits = (job: Job): boolean => job.status === "RUNNABLE" || job.status === "STARTING"

const scoped = <C extends { readonly destroy: () => void }>(make: () => C) =>
  Effect.acquireRelease(Effect.sync(make), (client) => Effect.sync(() => client.destroy()))

/** Clients for the look, and the look itself. Nothing of it fails: what could not be asked is among `missing`. */
export const lookAround = Effect.fnUntraced(function*(options: AwsClientOptions) {
  const logs = yield* scoped(() => new CloudWatchLogsClient(clientConfig(options)))
  const ecs = yield* scoped(() => new ECSClient(clientConfig(options)))
  const scaling = yield* scoped(() => new AutoScalingClient(clientConfig(options)))

  const log = (job: Job, names: ExpectedNames): Effect.Effect<Evidence> => {
    const group = job.container?.logConfiguration?.options?.["awslogs-group"] ?? names.logGroup
    const stream = job.container?.logStreamName ?? job.attempts?.at(-1)?.container?.logStreamName
    const lines = stream == null ? Effect.succeed<Evidence>({}) : ask(
      "GetLogEvents",
      (abortSignal) =>
        logs.send(
          new GetLogEventsCommand({ logGroupName: group, logStreamName: stream, limit: logLines }),
          { abortSignal }
        ),
      ({ events }) => ({ logTail: (events ?? []).flatMap(({ message }) => message === undefined ? [] : [message]) })
    )
    const groups = ask(
      "DescribeLogGroups",
      (abortSignal) => logs.send(new DescribeLogGroupsCommand({ logGroupNamePrefix: group }), { abortSignal }),
      ({ logGroups }) => ({ describeLogGroups: { logGroups } })
    )
    return Effect.map(Effect.all([lines, groups], { concurrency: 2 }), together)
  }

  const task = (job: Job, clusters: ReadonlyArray<string>): Effect.Effect<Evidence> => {
    const [cluster] = clusters
    const taskArn = job.container?.taskArn ?? job.attempts?.at(-1)?.container?.taskArn
    return taskArn == null || cluster === undefined ? Effect.succeed({}) : ask(
      "DescribeTasks",
      (abortSignal) => ecs.send(new DescribeTasksCommand({ cluster, tasks: [taskArn] }), { abortSignal }),
      ({ tasks }) => ({ describeTasks: { tasks } })
    )
  }

  const machines = Effect.fnUntraced(function*(clusters: ReadonlyArray<string>) {
    const described = yield* ask(
      "DescribeClusters",
      (abortSignal) => ecs.send(new DescribeClustersCommand({ clusters: [...clusters] }), { abortSignal }),
      (answer) => ({ describeClusters: { clusters: answer.clusters } })
    )
    const registered = yield* Effect.forEach(clusters, (cluster) =>
      Effect.matchEffect(
        Effect.tryPromise({
          try: (abortSignal) =>
            ecs.send(new ListContainerInstancesCommand({ cluster, maxResults: instances }), { abortSignal }),
          catch: (cause) => missingAnswer("ListContainerInstances", cause)
        }),
        {
          onFailure: (missing) => Effect.succeed<Evidence>({ missing: [missing] }),
          onSuccess: ({ containerInstanceArns = [] }) =>
            containerInstanceArns.length === 0 ? Effect.succeed<Evidence>({}) : ask(
              "DescribeContainerInstances",
              (abortSignal) =>
                ecs.send(
                  new DescribeContainerInstancesCommand({ cluster, containerInstances: containerInstanceArns }),
                  { abortSignal }
                ),
              ({ containerInstances }) => ({ describeContainerInstances: { containerInstances } })
            )
        }
      ))
    return together([described, ...registered])
  })

  /** The groups that Batch made for an environment begin with its name; no call leads from the one to the other. */
  const groupsOf = Effect.fnUntraced(function*(environments: ReadonlyArray<string>) {
    const names: Array<string> = []
    let NextToken: string | undefined
    for (let page = 0; page < maxGroupPages; page++) {
      const token = NextToken
      const answer = yield* Effect.tryPromise({
        try: (abortSignal) =>
          scaling.send(
            new DescribeAutoScalingGroupsCommand({
              MaxRecords: groupsOfAPage,
              ...(token === undefined ? {} : { NextToken: token })
            }),
            { abortSignal }
          ),
        catch: (cause) => missingAnswer("DescribeAutoScalingGroups", cause)
      })
      names.push(...(answer.AutoScalingGroups ?? []).flatMap(({ AutoScalingGroupName: name }) =>
        name !== undefined && environments.some((environment) => name.startsWith(`${environment}-`)) ? [name] : []
      ))
      NextToken = answer.NextToken
      if (NextToken === undefined || NextToken === "") break
    }
    return names
  })

  const scalingActivities = (environments: ReadonlyArray<string>): Effect.Effect<Evidence> =>
    Effect.matchEffect(groupsOf(environments), {
      onFailure: (missing) => Effect.succeed<Evidence>({ missing: [missing] }),
      onSuccess: (groups) =>
        Effect.map(
          Effect.forEach(groups, (AutoScalingGroupName) =>
            ask(
              "DescribeScalingActivities",
              (abortSignal) =>
                scaling.send(
                  new DescribeScalingActivitiesCommand({ AutoScalingGroupName, MaxRecords: activities }),
                  { abortSignal }
                ),
              ({ Activities }) => ({ scalingActivities: { Activities } })
            )),
          (found): Evidence => ({
            ...together(found),
            ...(found.length === 0 ? {} : {
              scalingActivities: { Activities: found.flatMap((one) => one.scalingActivities?.Activities ?? []) }
            })
          })
        )
    })

  return Effect.fn("BatchEvidence.around")(function*(
    job: Job,
    environments: ReadonlyArray<ComputeEnvironment>,
    names: ExpectedNames
  ) {
    const clusters = environments.flatMap(({ ecsClusterArn: arn }) => arn == null || arn === "" ? [] : [arn])
    const environmentNames = environments.flatMap(({ computeEnvironmentName: name }) => name == null ? [] : [name])
    const nothing = Effect.succeed<Evidence>({})
    const looks = yield* Effect.all([
      log(job, names),
      task(job, clusters),
      waits(job) && clusters.length > 0 ? machines(clusters) : nothing,
      waits(job) && environmentNames.length > 0 ? scalingActivities(environmentNames) : nothing
    ], { concurrency: "unbounded" })
    return together(looks)
  })
})
