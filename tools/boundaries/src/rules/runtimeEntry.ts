import { posix } from "node:path"
import { Visitor } from "oxc-parser"
import { effectMembers } from "../EffectCalls.ts"
import { isTest, type Module } from "../Module.ts"
import type { Repository } from "../Repository.ts"
import type { Violation } from "../Violation.ts"

const rule = "runtime entry"

const runs = /^(?:Effect\.run\w*|ManagedRuntime\.make|Layer\.launch)$/

const mayRun = ({ path }: Module): boolean =>
  /^main\.m?[jt]s$/.test(posix.basename(path)) || isTest(path) || path.startsWith("packages/cli/") ||
  path.startsWith("packages/api/src/edge/") || path.startsWith("bench/")

/** Layers meet, and effects run, where a program starts: in files named main.ts, in the cli and at the edge. */
export const runtimeEntry = (repository: Repository): ReadonlyArray<Violation> =>
  repository.modules.filter((module) => !mayRun(module)).flatMap((module) => {
    const member = effectMembers(module)
    const violations: Array<Violation> = []
    const look = (name: string | undefined, offset: number): void => {
      if (name === undefined || !runs.test(name)) return
      violations.push({
        rule,
        file: module.path,
        line: module.lineOf(offset),
        message: `${name} belongs into a main.ts, the cli or the edge entry`
      })
    }
    new Visitor({
      // Also where it is only named: `Effect.runPromise` handed on as a function runs all the same.
      MemberExpression: (node) => look(member(node), node.start),
      CallExpression: (node) => {
        if (node.callee.type === "Identifier") look(member(node.callee), node.start)
      }
    }).visit(module.program)
    return violations
  })
