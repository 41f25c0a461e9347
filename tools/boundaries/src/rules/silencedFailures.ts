import { type Argument, type Expression, type Function as FunctionNode, Visitor } from "oxc-parser"
import { effectMembers, type EffectMember } from "../EffectCalls.ts"
import { isTest } from "../Module.ts"
import type { Repository } from "../Repository.ts"
import type { Violation } from "../Violation.ts"

const rule = "silenced failures"

/** The one combinator that may drop a failure: it counts and logs what it drops. */
const exception = "packages/domain/src/bestEffort.ts"

const silencers = /^Effect\.ignore\w*$/
const handlers = /^Effect\.(?:catch\w*|matchEffect|matchCauseEffect)$/
const nothings = new Set(["Effect.void", "Effect.undefined"])

/** `Effect.void`, `Effect.succeed(undefined)` and the like. */
const isNothing = (member: EffectMember, it: Expression | null | undefined): boolean => {
  if (it === null || it === undefined) return false
  if (it.type === "ParenthesizedExpression") return isNothing(member, it.expression)
  if (nothings.has(member(it) ?? "")) return true
  if (it.type !== "CallExpression" || member(it.callee) !== "Effect.succeed") return false
  const [value] = it.arguments
  return value === undefined || (value.type === "Identifier" && value.name === "undefined") ||
    (value.type === "UnaryExpression" && value.operator === "void")
}

const returned = (body: FunctionNode["body"]): Expression | null | undefined => {
  const [only, ...rest] = body?.body ?? []
  return rest.length === 0 && only?.type === "ReturnStatement" ? only.argument : undefined
}

/** Whether a handler, or one of an object of handlers, answers every failure with nothing. */
const dropsFailure = (member: EffectMember, it: Argument): boolean => {
  if (it.type === "ArrowFunctionExpression") {
    return isNothing(member, it.body.type === "BlockStatement" ? returned(it.body) : it.body)
  }
  if (it.type === "FunctionExpression") return isNothing(member, returned(it.body))
  if (it.type !== "ObjectExpression") return false
  return it.properties.some((property) =>
    property.type === "Property" && !(property.key.type === "Identifier" && property.key.name === "onSuccess") &&
    dropsFailure(member, property.value)
  )
}

/** No failure is answered with nothing, outside `bestEffort`. */
export const silencedFailures = (repository: Repository): ReadonlyArray<Violation> =>
  repository.modules.filter(({ path }) => path !== exception && !isTest(path)).flatMap((module) => {
    const member = effectMembers(module)
    const violations: Array<Violation> = []
    const refuse = (offset: number, message: string): void => {
      violations.push({ rule, file: module.path, line: module.lineOf(offset), message })
    }
    new Visitor({
      MemberExpression(node) {
        const name = member(node)
        if (name !== undefined && silencers.test(name)) refuse(node.start, `${name} drops a failure without a word`)
      },
      CallExpression(node) {
        const name = member(node.callee)
        if (name === undefined) return
        if (node.callee.type === "Identifier" && silencers.test(name)) refuse(node.start, `${name} drops a failure without a word`)
        if (handlers.test(name) && node.arguments.some((argument) => dropsFailure(member, argument))) {
          refuse(node.start, `${name} answers a failure with nothing`)
        }
      }
    }).visit(module.program)
    return violations
  })
