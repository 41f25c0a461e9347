/** What encodes run on: queue, environments, definition, log group, and the roles of CONTRACT.md, section 7. */
import { type App, CfnDeletionPolicy, Fn, Stack } from "aws-cdk-lib"
import { CfnComputeEnvironment, CfnJobDefinition, CfnJobQueue } from "aws-cdk-lib/aws-batch"
import { CfnLaunchTemplate } from "aws-cdk-lib/aws-ec2"
import { CfnInstanceProfile } from "aws-cdk-lib/aws-iam"
import { CfnLogGroup } from "aws-cdk-lib/aws-logs"
import { imageOf, logTo, secretsOf } from "./container.ts"
import { encodeJob, maxVcpus } from "./EncodeJob.ts"
import { executionRole, instanceRole, jobRole } from "./grants.ts"
import { videoNames } from "./InfraNames.ts"
import { imageTagParameter, networkParameters, secretParameter } from "./parameters.ts"
import { retryRules } from "./retryRules.ts"
import { roleFor } from "./role.ts"
import { stackProps } from "./stackProps.ts"

/** Days that a log is kept: Batch itself forgets a job after a week. */
const logDays = 90

/**
 * Batch takes user data as a MIME archive alone. Draining makes ECS send SIGTERM when Spot takes the machine back; the stop timeout
 * is what a worker has then to give its job back.
 */
const userData = [
  "MIME-Version: 1.0",
  "Content-Type: multipart/mixed; boundary=\"==LECTERN==\"",
  "",
  "--==LECTERN==",
  "Content-Type: text/x-shellscript; charset=\"us-ascii\"",
  "",
  "#!/bin/bash",
  "echo ECS_ENABLE_SPOT_INSTANCE_DRAINING=true >> /etc/ecs/ecs.config",
  "echo ECS_CONTAINER_STOP_TIMEOUT=60s >> /etc/ecs/ecs.config",
  "",
  "--==LECTERN==--",
  ""
].join("\n")

const workVolume = "work"

/** The variables of the object store that the secret holds; the database's and Redis' besides. */
const secretVariables = ["DATABASE_URL", "REDIS_URL", "R2_ENDPOINT", "R2_BUCKET", "R2_ACCESS_KEY", "R2_SECRET_KEY"]

export const videoStack = (app: App): Stack => {
  const stack = new Stack(app, "lectern-video", stackProps("Lectern: encodes on AWS Batch"))
  const { securityGroups, subnets } = networkParameters(stack)
  const secret = secretParameter(stack)
  const tag = imageTagParameter(stack, "video worker's")

  const instance = roleFor(stack, "InstanceRole", instanceRole, secret.valueAsString)
  const execution = roleFor(stack, "ExecutionRole", executionRole, secret.valueAsString)
  const job = roleFor(stack, "JobRole", jobRole, secret.valueAsString)
  const profile = new CfnInstanceProfile(stack, "InstanceProfile", {
    instanceProfileName: instanceRole.name,
    roles: [instance.ref]
  })

  const logGroup = new CfnLogGroup(stack, "LogGroup", { logGroupName: videoNames.logGroup, retentionInDays: logDays })
  // What is known of yesterday's failures outlives the stack.
  logGroup.cfnOptions.deletionPolicy = CfnDeletionPolicy.RETAIN
  logGroup.cfnOptions.updateReplacePolicy = CfnDeletionPolicy.RETAIN

  const template = new CfnLaunchTemplate(stack, "LaunchTemplate", {
    launchTemplateName: videoNames.launchTemplate,
    launchTemplateData: {
      userData: Fn.base64(userData),
      metadataOptions: { httpTokens: "required", httpPutResponseHopLimit: 1 },
      blockDeviceMappings: [{
        deviceName: "/dev/xvda",
        ebs: { volumeSize: encodeJob.diskGib, volumeType: "gp3", encrypted: true, deleteOnTermination: true }
      }]
    }
  })

  const environment = (
    id: string,
    name: string,
    capacity: { readonly type: string; readonly allocationStrategy: string; readonly maxvCpus: number }
  ): CfnComputeEnvironment =>
    new CfnComputeEnvironment(stack, id, {
      computeEnvironmentName: name,
      type: "MANAGED",
      state: "ENABLED",
      // In place: a replaced environment would need another name, and names are fixed.
      replaceComputeEnvironment: false,
      // No service role: Batch's own service-linked one cannot lack a permission.
      computeResources: {
        ...capacity,
        minvCpus: 0,
        instanceTypes: [...encodeJob.instanceTypes],
        instanceRole: profile.attrArn,
        subnets: subnets.valueAsList,
        securityGroupIds: securityGroups.valueAsList,
        ec2Configuration: [{ imageType: "ECS_AL2023" }],
        launchTemplate: { launchTemplateName: videoNames.launchTemplate, version: template.attrLatestVersionNumber }
      }
    })
  const spot = environment("SpotEnvironment", videoNames.computeEnvironment, {
    type: "SPOT",
    allocationStrategy: "SPOT_PRICE_CAPACITY_OPTIMIZED",
    maxvCpus: maxVcpus.spot
  })
  const onDemand = environment("OnDemandEnvironment", videoNames.onDemandEnvironment, {
    type: "EC2",
    allocationStrategy: "BEST_FIT_PROGRESSIVE",
    maxvCpus: maxVcpus.onDemand
  })

  void new CfnJobQueue(stack, "Queue", {
    jobQueueName: videoNames.jobQueue,
    state: "ENABLED",
    priority: 1,
    computeEnvironmentOrder: [
      { order: 1, computeEnvironment: spot.ref },
      { order: 2, computeEnvironment: onDemand.ref }
    ]
  })

  const definition = new CfnJobDefinition(stack, "Definition", {
    jobDefinitionName: videoNames.jobDefinition,
    type: "container",
    platformCapabilities: ["EC2"],
    // More than 50 tags on a task fail the job, and ours would come on top of the account's.
    propagateTags: false,
    retryStrategy: { attempts: encodeJob.attempts, evaluateOnExit: [...retryRules] },
    timeout: { attemptDurationSeconds: encodeJob.attemptSeconds },
    containerProperties: {
      image: imageOf(videoNames.repository, tag),
      resourceRequirements: [
        { type: "VCPU", value: String(encodeJob.vcpus) },
        { type: "MEMORY", value: String(encodeJob.memory) }
      ],
      jobRoleArn: job.attrArn,
      executionRoleArn: execution.attrArn,
      readonlyRootFilesystem: true,
      privileged: false,
      environment: [{ name: "LECTERN_WORK_DIR", value: encodeJob.workDirectory }],
      secrets: secretsOf(secret, secretVariables),
      volumes: [{ name: workVolume }],
      mountPoints: [{ sourceVolume: workVolume, containerPath: encodeJob.workDirectory, readOnly: false }],
      logConfiguration: logTo(videoNames.logGroup, "encode")
    }
  })
  // ECS starts no container whose log group is not there yet, and may not make it.
  definition.addResourceDependency(logGroup)
  return stack
}
