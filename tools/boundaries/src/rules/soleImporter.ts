import { isTest, packageOf } from "../Module.ts"
import type { Repository } from "../Repository.ts"
import type { Violation } from "../Violation.ts"

const rule = "sole importer"

/** Packages that one module wraps and nothing else may know: they are to be replaced one day. */
const wrapped = ["fluent-ffmpeg"]

/** Each wrapped package is imported by one module at most, its tests included. */
export const soleImporter = (repository: Repository): ReadonlyArray<Violation> =>
  wrapped.flatMap((name) => {
    const importers = repository.modules.flatMap((module) => {
      const found = module.imports.find((it) => packageOf(it.specifier) === name)
      return found === undefined ? [] : [{ module, line: found.line }]
    })
    const owners = importers.filter(({ module }) => !isTest(module.path))
    const intruders = owners.length > 1 ? importers : importers.filter(({ module }) => isTest(module.path))
    return intruders.map(({ line, module }) => ({
      rule,
      file: module.path,
      line,
      message: `${name} may be known to one module of the sources, and is imported by ${importers.length} files`
    }))
  })
