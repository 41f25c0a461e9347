import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { jsonFlag, languageFlag } from "../operations/flags.ts"
import { loaded } from "./loaded.ts"

export const readiness = Command.make(
  "readiness",
  {
    docker: Flag.String("docker").pipe(
      Flag.withDescription("Check this image by podman or docker (LECTERN_CONTAINER_ENGINE: another command), not the sources; it is not pulled"),
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
  loaded(async () => (await import("../operations/readiness.ts")).readiness)
).pipe(
  Command.withDescription(
    "Check worker, Redis, SQS and database by writing to each; exit code 1 unless all four pass. "
      + "Reads REDIS_URL, SQS_QUEUE_URL_{LITE,BASIC,PREMIUM,MESSAGING}, AWS_REGION and DATABASE_URL: give it the worker's own"
  ),
  Command.withExamples([
    { command: "lectern readiness --docker academy-video-worker:latest", description: "With the image that is to be deployed" },
    { command: "lectern readiness --local --lang en", description: "What this machine has" }
  ])
)
