import { isTest, packageOf } from "../Module.ts"
import type { Repository } from "../Repository.ts"
import type { Violation } from "../Violation.ts"

const rule = "package cycles"

interface Edge {
  readonly to: string
  readonly file: string
  readonly line: number
}

const edgesOf = (repository: Repository): ReadonlyMap<string, ReadonlyArray<Edge>> => {
  const names = new Set(repository.workspaces.map((it) => it.name))
  const edges = new Map<string, Array<Edge>>()
  for (const module of repository.modules) {
    const own = repository.workspaceOf(module.path)?.name
    if (own === undefined || isTest(module.path)) continue
    for (const { line, specifier } of module.imports) {
      const to = packageOf(specifier)
      if (to === undefined || to === own || !names.has(to)) continue
      edges.set(own, [...(edges.get(own) ?? []), { to, file: module.path, line }])
    }
  }
  return edges
}

/** The sources of workspaces import each other in no circle; said once for each circle, where it closes. */
export const packageCycles = (repository: Repository): ReadonlyArray<Violation> => {
  const edges = edgesOf(repository)
  const done = new Set<string>()
  const violations: Array<Violation> = []
  const visit = (name: string, trail: ReadonlyArray<string>): void => {
    if (done.has(name)) return
    const path = [...trail, name]
    const closed = new Set<string>()
    for (const { file, line, to } of edges.get(name) ?? []) {
      const start = path.indexOf(to)
      if (start === -1) visit(to, path)
      else if (!closed.has(to)) {
        closed.add(to)
        violations.push({ rule, file, line, message: `closes the circle ${[...path.slice(start), to].join(" -> ")}` })
      }
    }
    done.add(name)
  }
  for (const { name } of repository.workspaces) visit(name, [])
  return violations
}
