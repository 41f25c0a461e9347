import { batchComputeEnvironment, batchLogGroup, batchVariables } from "@lectern/adapters/batch"

/** The names that our code submits under; everything deployed has to bear them (INCIDENTS.md, 32). */
export interface ExpectedNames {
  readonly jobQueue: string
  readonly jobDefinition: string
  readonly computeEnvironment: string
  readonly logGroup: string
}

/** The names of `BatchNames`, with queue and definition as the environment says where it does. */
export const expectedNames = (variables: Readonly<Record<string, string | undefined>> = {}): ExpectedNames => ({
  jobQueue: variables[batchVariables.jobQueue.name]?.trim() || batchVariables.jobQueue.default,
  jobDefinition: variables[batchVariables.jobDefinition.name]?.trim() || batchVariables.jobDefinition.default,
  computeEnvironment: batchComputeEnvironment,
  logGroup: batchLogGroup
})

/** The name at the end of an ARN or a name: `arn:...:job-queue/video` and `video` are `video`; a revision stays off. */
export const nameOf = (arnOrName: string): string => {
  const resource = arnOrName.startsWith("arn:") ? arnOrName.split(":").slice(5).join(":") : arnOrName
  const name = resource.startsWith("/") ? resource : resource.slice(resource.lastIndexOf("/") + 1)
  return name.split(":")[0] ?? name
}
