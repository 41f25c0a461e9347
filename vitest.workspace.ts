/**
 * Vitest's configuration. Vitest 5 does not look for a file of this name: run it as
 * `vitest run --config vitest.workspace.ts` (which `npm test` does), or it silently uses its defaults.
 */
import { defineConfig } from "vitest/config"
import { NotRunReporter } from "./tools/harness/src/NotRunReporter.ts"

const folders = [
  "packages/domain",
  "packages/adapters",
  "packages/observability",
  "packages/api",
  "packages/worker-video",
  "packages/worker-ai",
  "packages/infra",
  "packages/cli",
  "tools/harness",
  "tools/boundaries",
  "tools/setup"
]

export default defineConfig({
  test: {
    passWithNoTests: true,
    allowOnly: false,
    // Forks, not threads: the servers of the harness must see the death of the process that started them.
    pool: "forks",
    // Each integration file starts servers of its own; more files at once starve ffmpeg and initdb of two cores.
    maxWorkers: 2,
    reporters: ["default", new NotRunReporter()],
    projects: folders.map((folder) => ({
      extends: true,
      root: folder,
      test: {
        name: folder.slice(folder.indexOf("/") + 1),
        include: ["test/**/*.test.ts"],
        testTimeout: 60_000,
        hookTimeout: 60_000,
        typecheck: {
          enabled: true,
          checker: "tsc",
          include: ["test/**/*.test-d.ts"],
          tsconfig: folder === "packages/domain" ? "tsconfig.test.json" : "tsconfig.json",
          // An error in a source is the finding of `npm run typecheck`, once, not of each package's type tests.
          ignoreSourceErrors: true
        }
      }
    }))
  }
})
