/** Which names of a module stand for modules of `effect`. */
import type { Expression, Super } from "oxc-parser"
import type { Module } from "./Module.ts"

/** Says of an expression that it is a member of a module of effect, as `Effect.ignore`; nothing for all others. */
export type EffectMember = (expression: Expression | Super) => string | undefined

/**
 * Follows the imports, whatever they are called here: `import { Effect as E } from "effect"`,
 * `import * as Effect from "effect/Effect"`, `import { runPromise } from "effect/Effect"`.
 */
export const effectMembers = (module: Module): EffectMember => {
  const modules = new Map<string, string>()
  const members = new Map<string, string>()
  for (const { names, specifier } of module.imports) {
    const submodule = /^effect\/(\w+)$/.exec(specifier)?.[1]
    if (specifier !== "effect" && submodule === undefined) continue
    for (const { imported, local } of names) {
      if (local === "") continue
      if (submodule === undefined) {
        if (imported !== "*") modules.set(local, imported)
      } else if (imported === "*") modules.set(local, submodule)
      else members.set(local, `${submodule}.${imported}`)
    }
  }
  const barrels = new Set(
    module.imports.filter(({ specifier }) => specifier === "effect")
      .flatMap(({ names }) => names.filter(({ imported }) => imported === "*").map(({ local }) => local))
  )
  const moduleNamed = (expression: Expression | Super): string | undefined => {
    if (expression.type === "Identifier") return modules.get(expression.name)
    if (
      expression.type === "MemberExpression" && !expression.computed && expression.object.type === "Identifier" &&
      barrels.has(expression.object.name)
    ) return expression.property.name
    return undefined
  }
  return (expression) => {
    if (expression.type === "Identifier") return members.get(expression.name)
    if (expression.type !== "MemberExpression") return undefined
    const owner = moduleNamed(expression.object)
    if (owner === undefined) return undefined
    if (!expression.computed) return `${owner}.${expression.property.name}`
    return expression.property.type === "Literal" ? `${owner}.${String(expression.property.value)}` : undefined
  }
}
