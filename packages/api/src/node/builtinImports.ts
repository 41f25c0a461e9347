import type { Plugin } from "esbuild"
import { builtinModules } from "node:module"

const required = "required-builtin"

const names = builtinModules.filter((name) => !name.startsWith("_")).map((name) => name.replaceAll("/", "\\/"))
const builtin = new RegExp(`^(?:node:)?(?:${names.join("|")})$`)

/**
 * For bundles that are ES modules on a runtime that is not Node: what a CommonJS package requires of Node, `require("net")`, becomes
 * an import of `node:net`, which Deno and workerd have. They have no `require`.
 */
export const builtinImports: Plugin = {
  name: "builtin-imports",
  setup: (build) => {
    build.onResolve({ filter: builtin }, ({ kind, namespace, path }) => {
      const module = path.startsWith("node:") ? path : `node:${path}`
      return kind === "require-call" && namespace !== required
        ? { path: module, namespace: required }
        : { path: module, external: true }
    })
    build.onLoad({ filter: /.*/, namespace: required }, ({ path }) => ({
      contents: `import all from ${JSON.stringify(path)}; module.exports = all`,
      loader: "js"
    }))
  }
}
