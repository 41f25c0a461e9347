/** What Lectern needs of the machine beside Node, and how to get it. */

/**
 * @typedef {object} Requirement
 * @property {string} name the product's name, for people
 * @property {ReadonlyArray<string>} programs what must be executable
 * @property {string} debian the package of Debian and Ubuntu
 * @property {string} brew the formula of Homebrew
 * @property {string} [without] what happens without it; a requirement that has none must be there
 */

/** @type {Requirement} */
const ffmpeg = { name: "ffmpeg", programs: ["ffmpeg", "ffprobe"], debian: "ffmpeg", brew: "ffmpeg" }

/** @type {Requirement} */
const redis = { name: "Redis", programs: ["redis-server"], debian: "redis-server", brew: "redis" }

/** @type {Requirement} */
const postgres = {
  name: "Postgres",
  programs: ["initdb", "postgres"],
  debian: "postgresql",
  brew: "postgresql@17",
  without: "what needs a Postgres server will be counted as not run; PGlite is tested always"
}

/** @type {Requirement} */
const chromium = {
  name: "Chromium",
  programs: ["chromium"],
  debian: "chromium",
  brew: "chromium",
  without: "what plays in a real browser will be counted as not run"
}

/** @type {Requirement} */
const podman = { name: "Podman", programs: ["podman"], debian: "podman", brew: "podman" }

/** @type {Requirement} Podman's own choice of a runtime refuses control groups of mixed versions. */
const runc = { name: "runc", programs: ["runc"], debian: "runc", brew: "podman" }

/** @type {Requirement} */
const mmdebstrap = { name: "mmdebstrap", programs: ["mmdebstrap"], debian: "mmdebstrap", brew: "podman" }

/**
 * What each purpose needs.
 * @type {Readonly<Record<string, ReadonlyArray<Requirement>>>}
 */
export const purposes = {
  demo: [ffmpeg],
  test: [ffmpeg, redis, postgres, chromium],
  bench: [redis, postgres],
  image: [podman, runc],
  "base-image": [mmdebstrap]
}
