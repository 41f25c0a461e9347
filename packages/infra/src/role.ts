/** A grant as CloudFormation has it. */
import { Aws, Token } from "aws-cdk-lib"
import { CfnManagedPolicy, CfnRole } from "aws-cdk-lib/aws-iam"
import type { Construct } from "constructs"
import { arnsIn } from "./Arns.ts"
import type { Grant } from "./Permission.ts"

const version = "2012-10-17"

const document = ({ permissions }: Grant, secret: string) => {
  const arns = arnsIn({ partition: Aws.PARTITION, region: Aws.REGION, account: Aws.ACCOUNT_ID, secret })
  return {
    Version: version,
    Statement: permissions.map(({ actions, resources }) => ({
      Effect: "Allow",
      Action: actions,
      Resource: resources(arns)
    }))
  }
}

/** The role of a grant. `secret` is the ARN that its permissions call the secret. */
export const roleFor = (scope: Construct, id: string, grant: Grant, secret: string): CfnRole =>
  new CfnRole(scope, id, {
    roleName: grant.name,
    description: grant.purpose,
    assumeRolePolicyDocument: {
      Version: version,
      Statement: grant.assumedBy.map((service) => ({
        Effect: "Allow",
        Action: "sts:AssumeRole",
        Principal: { Service: service },
        // Nobody else's task or schedule may borrow the role. An instance is told apart by its profile alone.
        ...(service === "ec2.amazonaws.com"
          ? {}
          : { Condition: { StringEquals: { "aws:SourceAccount": Token.asString(Aws.ACCOUNT_ID) } } })
      }))
    },
    managedPolicyArns: grant.managedPolicies.map(({ name }) => `arn:${Aws.PARTITION}:iam::aws:policy/${name}`),
    policies: grant.permissions.length === 0
      ? []
      : [{ policyName: grant.name, policyDocument: document(grant, secret) }]
  })

/** The policy of a grant that others attach to roles of their own. */
export const policyFor = (scope: Construct, id: string, grant: Grant): CfnManagedPolicy =>
  new CfnManagedPolicy(scope, id, {
    // Without a description: another one would be another policy, and CloudFormation replaces none that has a fixed name.
    managedPolicyName: grant.name,
    policyDocument: document(grant, "")
  })
