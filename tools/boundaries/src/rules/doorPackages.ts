import { builtinsOf, packagesOf, readDoorGraph } from "../DoorGraph.ts"
import { exists, type Repository } from "../Repository.ts"
import type { Violation } from "../Violation.ts"

const rule = "door packages"

interface Door {
  readonly packages: ReadonlyArray<string>
  /** The built-in modules that may be behind the door; any, if nothing is said. */
  readonly builtins?: ReadonlyArray<string>
  /** Modules of a package that may not be behind the door. */
  readonly refused?: RegExp
}

/** What each door may drag in, with everything that it imports from us. A door that is not here is refused. */
const doors: Readonly<Record<string, Readonly<Record<string, Door>>>> = {
  "@lectern/adapters": {
    "./postgres": {
      packages: ["effect", "@effect/sql-pg", "@electric-sql/pglite", "@neondatabase/serverless", "@effect/platform-node", "ws"]
    },
    "./redis": { packages: ["effect", "ioredis"], builtins: [] },
    "./s3": { packages: ["effect", "@effect/platform-node", "@aws-sdk/client-s3", "@aws-sdk/s3-request-presigner"] },
    "./sqs": { packages: ["effect", "@aws-sdk/client-sqs"] },
    "./aws": { packages: ["effect"], builtins: [] },
    "./batch": { packages: ["effect", "@aws-sdk/client-batch"] },
    "./environment": { packages: ["effect"], builtins: [] },
    "./files": { packages: ["effect", "@effect/platform-node"] },
    "./in-process": { packages: ["effect", "@effect/platform-node"] },
    "./solapi": { packages: ["effect"], builtins: ["node:crypto"] },
    "./smtp": { packages: ["effect", "nodemailer"] },
    "./sandbox": { packages: ["effect"], builtins: [] }
  },
  "@lectern/api": {
    // For pages of others: no dependency at all, and each thin door that of its name.
    "./client": { packages: [], builtins: [] },
    "./client/react": { packages: ["react"], builtins: [] },
    "./client/tanstack-query": { packages: ["@tanstack/query-core"], builtins: [] },
    // The edge reaches Redis and nothing else: no SQL, no AWS, nothing of Node.
    "./edge": { packages: ["effect", "ioredis", "jose"], builtins: [], refused: /^effect\/sql(?:\/|$)/ },
    "./tokens": { packages: ["effect", "jose"], builtins: [] }
  }
}

/** Workspaces of which every door must be in the list. */
const complete = ["@lectern/adapters"]

/** Each door drags in its own technology's packages and no other's: its import line shows what one gets. */
export const doorPackages = async (repository: Repository): Promise<ReadonlyArray<Violation>> => {
  const violations: Array<Violation> = []
  const refuse = (file: string, message: string): void => void violations.push({ rule, file, line: 0, message })
  for (const { doors: entries, folder, name } of repository.workspaces) {
    for (const [door, file] of entries) {
      const permitted = doors[name]?.[door]
      if (permitted === undefined) {
        if (complete.includes(name)) refuse(`${folder}/package.json`, `nobody says what the door "${door}" may drag in`)
        continue
      }
      // The door of a workspace in which nothing is written yet is no fault; one among written ones is.
      if (!exists(repository, file)) {
        if (repository.modules.some(({ path }) => path.startsWith(`${folder}/src/`))) {
          refuse(`${folder}/package.json`, `there is nothing behind the door "${door}": ${file} is missing`)
        }
        continue
      }
      const graph = await readDoorGraph(repository, file)
      for (const { file, line, text } of graph.faults) {
        violations.push({ rule, file, line, message: `nobody can tell what the door "${door}" drags in: ${text}` })
      }
      for (const [found, by] of packagesOf(graph)) {
        if (!permitted.packages.includes(found)) refuse(by, `the door "${door}" of ${name} may not drag in ${found}`)
      }
      for (const [found, by] of builtinsOf(graph)) {
        if (permitted.builtins !== undefined && !permitted.builtins.includes(found)) {
          refuse(by, `the door "${door}" of ${name} may not drag in ${found}`)
        }
      }
      for (const [found, by] of graph.outside) {
        if (permitted.refused?.test(found) === true) refuse(by, `the door "${door}" of ${name} may not drag in ${found}`)
      }
    }
  }
  return violations
}
