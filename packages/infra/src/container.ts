/** What the containers of both job definitions have in common. */
import { Aws, type CfnParameter } from "aws-cdk-lib"

/** The image of one of our repositories in this account's registry. */
export const imageOf = (repository: string, tag: CfnParameter): string =>
  `${Aws.ACCOUNT_ID}.dkr.ecr.${Aws.REGION}.${Aws.URL_SUFFIX}/${repository}:${tag.valueAsString}`

export const logTo = (group: string, streamPrefix: string) => ({
  logDriver: "awslogs",
  options: { "awslogs-group": group, "awslogs-region": Aws.REGION, "awslogs-stream-prefix": streamPrefix }
})

/**
 * The variables that a container takes from the keys of the secret. Each key has to be in it: ECS starts no container with a
 * secret that it cannot read (INCIDENTS.md, 33).
 */
export const secretsOf = (secret: CfnParameter, variables: ReadonlyArray<string>) =>
  variables.map((name) => ({ name, valueFrom: `${secret.valueAsString}:${name}::` }))
