/** Ways in to video encoding that the system before this one had. None exists here; asked for, each says where to look. */

interface OldWay {
  readonly kind: "command" | "option" | "variable"
  readonly name: string
  readonly was: string
}

/** The old names, all of them in this table. An option counts on any command of a worker, a variable on any command at all. */
export const oldWays: ReadonlyArray<OldWay> = [
  { kind: "command", name: "video-worker", was: "started the video worker that polled SQS" },
  { kind: "command", name: "encode-queue", was: "put encodes into an SQS queue" },
  { kind: "option", name: "--video", was: "let a worker encode" },
  { kind: "option", name: "--video-queue", was: "named the SQS queue of encodes" },
  { kind: "variable", name: "VIDEO_SQS_QUEUE_URL", was: "named the SQS queue of encodes" },
  { kind: "variable", name: "VIDEO_SQS_QUEUE_NAME", was: "named the SQS queue of encodes" },
  { kind: "variable", name: "VIDEO_QUEUE_URL", was: "named the SQS queue of encodes" },
  { kind: "variable", name: "SQS_QUEUE_URL_VIDEO", was: "named the SQS queue of encodes" },
  { kind: "variable", name: "VIDEO_WORKER_MODE", was: "chose between SQS and Batch" }
]

/** The old way that a call asks for, as a sentence; `null` where it asks for none. */
export const oldWayAsked = (
  args: ReadonlyArray<string>,
  variables: Readonly<Record<string, string | undefined>>
): string | null => {
  const asked = oldWays.find(({ kind, name }) => {
    switch (kind) {
      case "command":
        return args[0] === name
      case "option":
        return args.some((arg) => arg === name || arg.startsWith(`${name}=`))
      case "variable":
        return (variables[name] ?? "") !== ""
    }
  })
  return asked === undefined ? null : [
    `Batch only: the ${asked.kind} ${asked.name}, which ${asked.was}, does not exist; videos are encoded by AWS Batch and nothing else`,
    "  where to look: VIDEO_BATCH_JOB_QUEUE and VIDEO_BATCH_JOB_DEFINITION name where encodes run; "
    + "`lectern doctor JOB` says why one does not; docs/decisions/0013-batch-only.md has the reasons"
  ].join("\n")
}
