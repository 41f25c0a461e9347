import type { ImportUndecided } from "@lectern/worker-ai/import"
import { printable } from "./ProgressBoard.ts"

/** The question that a class list raises, and each answer with the first rows as it would have them. */
export const readingsReport = ({ messageEn, messageKo, readings }: ImportUndecided): string =>
  [
    messageKo,
    `  ${messageEn}`,
    ...readings.flatMap(({ id, importable, ko, preview }) => [
      "",
      `  ${importable ? `--reading ${id}` : id}  ${printable(ko)}`,
      ...preview.map(({ cells, row }) =>
        `    ${row}행  ${Object.entries(cells).map(([name, text]) => `${name}: ${printable(text)}`).join("  ")}`)
    ])
  ].join("\n")
