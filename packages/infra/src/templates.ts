import { App } from "aws-cdk-lib"
import { NEW_STYLE_STACK_SYNTHESIS_CONTEXT } from "aws-cdk-lib/cx-api"
import { Effect, FileSystem, type PlatformError } from "effect"
import { operationsStack } from "./operationsStack.ts"
import { queueStack } from "./queueStack.ts"
import { videoStack } from "./videoStack.ts"

/** One stack of CloudFormation; they are deployed in this order. */
export interface Template {
  /** The stack's name. */
  readonly name: string
  /** A JSON object. */
  readonly body: unknown
}

/** Any account can deploy the templates as they stand: no bootstrap of the CDK's, no assets, nothing looked up. */
const withoutBootstrap = { [NEW_STYLE_STACK_SYNTHESIS_CONTEXT]: false }

/** Every template, made from the code's own names. Needs neither an account nor the network. */
export const templates: Effect.Effect<ReadonlyArray<Template>, PlatformError.PlatformError, FileSystem.FileSystem> = Effect
  .scoped(Effect.gen(function*() {
    // The CDK leaves a folder behind wherever it synthesises.
    const outdir = yield* (yield* FileSystem.FileSystem).makeTempDirectoryScoped({ prefix: "lectern-infra-" })
    return yield* Effect.sync(() => {
      const app = new App({ outdir, analyticsReporting: false, treeMetadata: false, context: withoutBootstrap })
      const stacks = [videoStack(app), queueStack(app), operationsStack(app)]
      const assembly = app.synth()
      return stacks.map(({ stackName }): Template => ({ name: stackName, body: assembly.getStackByName(stackName).template }))
    })
  }))
