import { isTest, packageOf } from "../Module.ts"
import type { Repository } from "../Repository.ts"
import type { Violation } from "../Violation.ts"

const rule = "import direction"

/** `domain <- adapters, observability <- api, worker-video, worker-ai <- infra <- cli`: what each workspace's sources may import. */
const allowed: Readonly<Record<string, ReadonlyArray<string>>> = {
  "@lectern/domain": [],
  "@lectern/adapters": ["@lectern/domain"],
  "@lectern/observability": ["@lectern/domain"],
  "@lectern/api": ["@lectern/domain", "@lectern/adapters", "@lectern/observability"],
  "@lectern/worker-video": ["@lectern/domain", "@lectern/adapters", "@lectern/observability"],
  "@lectern/worker-ai": ["@lectern/domain", "@lectern/adapters", "@lectern/observability"],
  "@lectern/infra": ["@lectern/domain", "@lectern/adapters", "@lectern/worker-video"],
  "@lectern/cli": [
    "@lectern/domain",
    "@lectern/adapters",
    "@lectern/observability",
    "@lectern/api",
    "@lectern/worker-video",
    "@lectern/worker-ai",
    "@lectern/infra"
  ],
  "@lectern/harness": [],
  "@lectern/image": ["@lectern/domain", "@lectern/adapters", "@lectern/worker-video"],
  "@lectern/setup": [],
  "@lectern/boundaries": [],
  "@lectern/bench": [
    "@lectern/domain",
    "@lectern/adapters",
    "@lectern/observability",
    "@lectern/api",
    "@lectern/worker-video",
    "@lectern/worker-ai",
    "@lectern/harness"
  ]
}

/** Tests may start servers besides. */
const testsMayImport = "@lectern/harness"

/** Imports between workspaces run one way, and through the front doors. Types count: a type is knowledge too. */
export const importDirection = (repository: Repository): ReadonlyArray<Violation> =>
  repository.modules.flatMap((module) => {
    const own = repository.workspaceOf(module.path)
    if (own === undefined) return []
    const violations: Array<Violation> = []
    const refuse = (line: number, message: string) => violations.push({ rule, file: module.path, line, message })
    const permitted = allowed[own.name]
    if (permitted === undefined) refuse(0, `the workspace ${own.name} has no place in the order of imports`)
    for (const it of module.imports) {
      if (it.specifier.startsWith(".")) {
        const target = repository.targetOf(module, it) ?? ""
        const other = repository.workspaceOf(target)
        if (other !== undefined && other !== own) refuse(it.line, `"${it.specifier}" goes around the front door of ${other.name}`)
        continue
      }
      const name = packageOf(it.specifier)
      if (name === undefined || !name.startsWith("@lectern/") || permitted === undefined) continue
      const target = repository.workspaces.find((workspace) => workspace.name === name)
      const mayImport = name === own.name || permitted.includes(name) || (name === testsMayImport && isTest(module.path))
      if (!mayImport) refuse(it.line, `${own.name} may not import ${name}`)
      // A type test may try a closed door, to prove that it does not open.
      else if (target !== undefined && repository.targetOf(module, it) === undefined && !module.path.endsWith(".test-d.ts")) {
        refuse(it.line, `"${it.specifier}" is not a front door of ${name}`)
      }
    }
    return violations
  })
