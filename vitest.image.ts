/**
 * The configuration of `npm run image:test`: real runs of the images that `npm run image` built. They are not among
 * `npm test`, because they need a container engine and the images.
 */
import { defineConfig } from "vitest/config"
import { NotRunReporter } from "./tools/harness/src/NotRunReporter.ts"

export default defineConfig({
  test: {
    name: "image",
    root: "tools/image",
    include: ["test/**/*.test.ts"],
    allowOnly: false,
    pool: "forks",
    // One container at a time: each encodes on all cores.
    maxWorkers: 1,
    testTimeout: 300_000,
    hookTimeout: 60_000,
    reporters: ["default", new NotRunReporter()]
  }
})
