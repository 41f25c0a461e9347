/** The one Node that runs everything: that of the development dependency `node`, whatever the machine has. */

/** The first major version that runs TypeScript as it stands. */
const firstMajor = 24

/**
 * Whether a version such as `v24.21.0` can run the sources.
 * @param {string} version
 */
export const runsSources = (version) => Number(/^v(\d+)\./.exec(version)?.[1] ?? 0) >= firstMajor

/**
 * @param {string} version the version that runs now
 */
export const interpreterMissing = (version) =>
  [
    `Cannot go on with Node ${version}: Node ${firstMajor} is needed, and node_modules/.bin/node is not there or does not run.`,
    "It comes with the development dependency \"node\", whose install script was ignored. Allow it and run it:",
    "",
    "    npm rebuild node --ignore-scripts=false",
    "",
    `or put a Node ${firstMajor} of your own first in the PATH.`
  ].join("\n")
