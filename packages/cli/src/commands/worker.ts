import * as Command from "effect/cli/Command"
import { loaded } from "./loaded.ts"

export const worker = Command.make(
  "worker",
  {},
  loaded(async () => (await import("../keepWorking.ts")).keepWorking)
).pipe(
  Command.withDescription(
    "Do the jobs of the queues until it is told to stop. Reads DATABASE_URL, REDIS_URL, SQS_QUEUE_URL_*, R2_* or S3_*, "
      + "and WORKER_TIERS, WORKER_CONCURRENCY, WORKER_MEMORY_MIB, WORKER_GRACE_SECONDS"
  ),
  Command.withShortDescription("Do the jobs of the queues until it is told to stop"),
  Command.withExamples([
    { command: "lectern worker", description: "Every queue" },
    { command: "WORKER_TIERS=premium lectern worker", description: "What is for machines with a GPU" }
  ])
)
