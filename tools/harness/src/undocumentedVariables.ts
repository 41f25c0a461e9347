import { readFile } from "node:fs/promises"

const page = new URL("../../../docs/configuration.md", import.meta.url)

/** The variables that a reader of settings asks its environment for. */
const askedBy = (read: (variables: Readonly<Record<string, string | undefined>>) => unknown): ReadonlySet<string> => {
  const names = new Set<string>()
  read(new Proxy({}, { get: (_, name) => void names.add(String(name)) }))
  return names
}

/** The variables in the first columns of the tables of docs/configuration.md. */
export const documentedVariables = async (): Promise<ReadonlyArray<string>> => {
  const rows = (await readFile(page, "utf8")).matchAll(/^\| (`[^|]+)\|/gm)
  return Array.from(rows, ([, cell = ""]) => Array.from(cell.matchAll(/`([^`]+)`/g), ([, name = ""]) => name)).flat()
}

/** Which of the variables that `read` asks for docs/configuration.md does not have. */
export const undocumentedVariables = async (
  read: (variables: Readonly<Record<string, string | undefined>>) => unknown
): Promise<ReadonlyArray<string>> => {
  const asked = askedBy(read)
  if (asked.size === 0) throw new Error("The reader asks for no variable")
  const documented = new Set(await documentedVariables())
  return [...asked].filter((name) => !documented.has(name))
}
