/** The queues of the workers and their dead letters. */
import { type App, CfnDeletionPolicy, Stack } from "aws-cdk-lib"
import { CfnQueue } from "aws-cdk-lib/aws-sqs"
import { maxReceiveCount } from "@lectern/adapters/sqs"
import { queueNames } from "./InfraNames.ts"
import { stackProps } from "./stackProps.ts"

/** In seconds. The longest that SQS keeps anything: a message that nobody took is not forgotten over a holiday. */
const retention = 1_209_600

/** In seconds; where a consumer dies before its first extension its message comes back after so long. */
const visibility = 60

const idOf = (name: string): string =>
  name.split("-").map((word) => `${word.slice(0, 1).toUpperCase()}${word.slice(1)}`).join("")

export const queueStack = (app: App): Stack => {
  const stack = new Stack(app, "lectern-queues", stackProps("Lectern: queues of the workers"))
  for (const { deadLetterQueue, queue } of queueNames) {
    const deadLetters = new CfnQueue(stack, idOf(deadLetterQueue), {
      queueName: deadLetterQueue,
      messageRetentionPeriod: retention,
      sqsManagedSseEnabled: true
    })
    const live = new CfnQueue(stack, idOf(queue), {
      queueName: queue,
      messageRetentionPeriod: retention,
      visibilityTimeout: visibility,
      receiveMessageWaitTimeSeconds: 20,
      sqsManagedSseEnabled: true,
      redrivePolicy: { deadLetterTargetArn: deadLetters.attrArn, maxReceiveCount }
    })
    for (const it of [deadLetters, live]) {
      // A deployment that would drop a queue with its messages fails instead.
      it.cfnOptions.deletionPolicy = CfnDeletionPolicy.RETAIN
      it.cfnOptions.updateReplacePolicy = CfnDeletionPolicy.RETAIN
    }
  }
  return stack
}
