import type { StackProps } from "aws-cdk-lib"

/** What every stack of ours has. */
export const stackProps = (description: string): StackProps => ({
  description,
  analyticsReporting: false,
  tags: { project: "lectern" }
})
