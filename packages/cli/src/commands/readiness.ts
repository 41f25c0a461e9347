import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Option from "effect/Option"
import { jsonFlag, languageFlag } from "../operations/flags.ts"
import { loaded } from "./loaded.ts"

/** What `npm run image` builds. */
const defaultImage = "localhost/lectern-worker-video"

export const readiness = Command.make(
  "readiness",
  {
    docker: Flag.Boolean("docker").pipe(
      Flag.withDescription(
        "Check the worker's image, not its sources, by podman or docker (LECTERN_CONTAINER_ENGINE: another command)"
      ),
      Flag.withDefault(false)
    ),
    image: Flag.String("image").pipe(
      Flag.withDescription(`The image that --docker runs, which is not pulled; ${defaultImage} where it is not given`),
      Flag.withMetavar("IMAGE"),
      Flag.optional
    ),
    local: Flag.Boolean("local").pipe(
      Flag.withDescription("Skip what no variable names; what was skipped has not passed"),
      Flag.withDefault(false)
    ),
    json: jsonFlag,
    lang: languageFlag
  },
  loaded(async () => {
    const { readiness } = await import("../operations/readiness.ts")
    return ({ docker, image, ...request }) =>
      readiness({ ...request, image: Option.getOrElse(image, () => docker ? defaultImage : null) })
  })
).pipe(
  Command.withDescription(
    "Check worker, Redis, SQS and database by writing to each; exit code 1 unless all four pass. "
      + "Reads REDIS_URL, SQS_QUEUE_URL_{LITE,BASIC,PREMIUM,MESSAGING}, AWS_REGION and DATABASE_URL: give it the worker's own"
  ),
  Command.withShortDescription("Check worker, Redis, SQS and database of a deployment by writing to each"),
  Command.withExamples([
    {
      command: "lectern readiness --image lectern-worker-video:latest",
      description: "With the image that is to be deployed"
    },
    { command: "lectern readiness --local --lang en", description: "What this machine has" }
  ])
)
