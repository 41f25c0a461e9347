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

/**
 * What each purpose needs.
 * @type {Readonly<Record<string, ReadonlyArray<Requirement>>>}
 */
export const purposes = {
  demo: [ffmpeg],
  test: [ffmpeg, redis, postgres, chromium],
  bench: [redis, postgres]
}
