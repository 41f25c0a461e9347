import { bundleForBrowser } from "../DoorGraph.ts"
import { isBuiltin, isTest, packageOf } from "../Module.ts"
import { exists, type Repository } from "../Repository.ts"
import type { Violation } from "../Violation.ts"

const rule = "domain purity"
const domain = "packages/domain"

/** The domain imports effect alone, not even a type of another, and each of its doors bundles for a browser. */
export const domainPurity = async (repository: Repository): Promise<ReadonlyArray<Violation>> => {
  const violations: Array<Violation> = []
  for (const { imports, path } of repository.modules) {
    if (!path.startsWith(`${domain}/`) || isTest(path)) continue
    for (const { line, specifier } of imports) {
      const name = packageOf(specifier)
      if (isBuiltin(specifier) || (name !== undefined && name !== "effect")) {
        violations.push({ rule, file: path, line, message: `the domain depends on effect alone, not on ${specifier}` })
      }
    }
  }
  // What is written directly is found above, with its line; the bundle finds what comes by way of something else.
  if (violations.length > 0) return violations
  for (const file of repository.workspaces.find(({ folder }) => folder === domain)?.doors.values() ?? []) {
    if (!exists(repository, file)) continue
    const { faults, inputs } = await bundleForBrowser(repository, file)
    for (const { file, line, text } of faults) violations.push({ rule, file, line, message: `not for a browser: ${text}` })
    const strangers = new Set(inputs.flatMap((input) => /(?:^|\/)packages\/(?!domain\/)([\w-]+)\//.exec(input)?.[1] ?? []))
    for (const stranger of strangers) {
      violations.push({ rule, file, line: 0, message: `the bundle of ${file} holds packages/${stranger}` })
    }
  }
  return violations
}
