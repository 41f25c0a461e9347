/** What differs from account to account, asked for when a template is deployed. */
import { batchVariables } from "@lectern/adapters/batch"
import { CfnParameter } from "aws-cdk-lib"
import type { Construct } from "constructs"

export const networkParameters = (scope: Construct) => ({
  subnets: new CfnParameter(scope, "Subnets", {
    type: "List<AWS::EC2::Subnet::Id>",
    description: "Subnets with a route to ECS, ECR and CloudWatch Logs, in more than one zone"
  }),
  securityGroups: new CfnParameter(scope, "SecurityGroups", {
    type: "List<AWS::EC2::SecurityGroup::Id>",
    description: "Security groups that let traffic out; nothing has to come in"
  })
})

export const secretParameter = (scope: Construct): CfnParameter =>
  new CfnParameter(scope, "ServicesArn", {
    type: "String",
    allowedPattern: "arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:.+",
    description: "Full ARN of the Secrets Manager secret whose JSON has DATABASE_URL, REDIS_URL and the object store's variables as its keys"
  })

export const imageTagParameter = (scope: Construct, what: string): CfnParameter =>
  new CfnParameter(scope, "ImageTag", {
    type: "String",
    // Never "latest": two instances would run two programs under one name.
    allowedPattern: "(?!latest$).+",
    description: `The tag of the ${what} image, which names one build for ever`
  })

/** In how many containers videos are encoded. The upkeep submits what the origin could not, and has to ask for the same. */
export const arrayParameters = (scope: Construct) => ({
  maxContainers: new CfnParameter(scope, "MaxContainers", {
    type: "Number",
    default: batchVariables.maxContainers.default,
    minValue: 1,
    maxValue: 100,
    description: `${batchVariables.maxContainers.name} of the origin: the most containers that one video is encoded in`
  }),
  gigabytesPerContainer: new CfnParameter(scope, "GigabytesPerContainer", {
    type: "Number",
    default: batchVariables.gigabytesPerContainer.default,
    minValue: 0.1,
    maxValue: 1_000,
    description: `${batchVariables.gigabytesPerContainer.name} of the origin: a container is added for each so many GB`
  })
})
