import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { directoryFlag } from "../flags.ts"
import { jsonFlag } from "../operations/flags.ts"
import { loaded } from "./loaded.ts"

const synth = Command.make(
  "synth",
  {
    out: directoryFlag("out").pipe(
      Flag.withDescription("Directory for the templates, made if it is not there; cdk.out where it is not given"),
      Flag.withDefault("cdk.out")
    ),
    json: jsonFlag
  },
  loaded(async () => (await import("../synthesiseInfra.ts")).synthesiseInfra)
).pipe(
  Command.withDescription(
    "Write the CloudFormation templates and check them as lint-batch does; needs no account; exit code 1 with findings"
  ),
  Command.withExamples([{
    command: "lectern infra synth --out cdk.out",
    description: "Then: aws cloudformation deploy --template-file cdk.out/lectern-video.template.json ..."
  }])
)

export const infra = Command.make("infra").pipe(
  Command.withDescription("What Lectern needs on AWS, made from the names that the code goes by"),
  Command.withSubcommands([synth])
)
