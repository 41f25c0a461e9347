import { exitCodeOf, retryWording } from "./Diagnosis.ts"
import { lintRules } from "./lintSetup.ts"
import type { Match } from "./Symptom.ts"
import { symptomSections } from "./symptoms/index.ts"

const cell = (text: string): string => text.replaceAll("|", "\\|")

const places: Readonly<Record<string, string>> = {
  statusReason: "statusReason",
  containerReason: "container.reason",
  log: "a line of the log",
  environmentReason: "the environment's statusReason",
  queueReason: "the queue's statusReason",
  scalingActivity: "a failed scaling activity"
}

const seen = (match: Match): string => {
  switch (match._tag) {
    case "Text": {
      const mentions = match.mentions?.map((mention) => `\`${mention}\``).join(" or ")
      const begins = match.prefix === "" ? "" : ` begins with \`${match.prefix}\``
      const names = mentions === undefined ? "" : `${begins === "" ? "" : " and"} names ${mentions}`
      return `${places[match.field] ?? match.field}${begins}${names}`
    }
    case "ExitCode":
      return `exit code ${match.code}, and no text that says more`
    case "Check":
      return match.when
  }
}

/** `docs/batch-doctor.md`, made from the table itself. */
export const symptomTable = (): string => {
  const sections = symptomSections.map(({ symptoms, title }) =>
    [
      `## ${title}`,
      "",
      "| Symptom | State | Seen by | Because | Next | A retry |",
      "|---|---|---|---|---|---|",
      ...symptoms.map((symptom) =>
        `| \`${symptom.id}\` | ${symptom.states.join(", ") || "any"} | ${cell(seen(symptom.match))} | ` +
        `${cell(symptom.because.en)}<br>${cell(symptom.because.ko)} | ${cell(symptom.next.en)}<br>${cell(symptom.next.ko)} | ` +
        `${retryWording(symptom.retry).en} |`
      ),
      ""
    ].join("\n")
  )
  return [
    "# The doctor of AWS Batch",
    "",
    "Made from `packages/worker-video/src/doctor`; `npm run docs:doctor -w @lectern/worker-video` writes it anew, and a test compares.",
    "",
    "`lectern doctor JOB` asks AWS about a job (ours or Batch's id), `lectern doctor --bundle FILE` reads a bundle that",
    "`lectern doctor JOB --save FILE` has written or that somebody has put together from the answers of the `aws` program.",
    "The first symptom of these tables that the evidence shows is the diagnosis. Texts are compared without regard to case, by",
    "prefix, on the part before ` - ` or ` – `. What is not in the tables is called unrecognised and quoted.",
    "",
    `It ends with ${exitCodeOf("found")} when it could tell (or when nothing is wrong), ${exitCodeOf("unrecognised")} when it does not recognise what it sees, ` +
    `64 for a bundle that cannot be read, ${exitCodeOf("unreachable")} when AWS cannot be reached, and ${exitCodeOf("configuration")} when credentials, region or a permission are missing.`,
    "",
    ...sections,
    "## What `lectern lint-batch` checks",
    "",
    "It ends with 0 without a finding, 1 with one, 64 for a file that cannot be read, 69 and 78 as above.",
    "",
    "| Rule | Why | Fix |",
    "|---|---|---|",
    ...lintRules.map((rule) => `| \`${rule.id}\` | ${cell(rule.why)} | ${cell(rule.fix)} |`),
    ""
  ].join("\n")
}
