/**
 * `npm run image [-- video | ai | origin | ops ...]` builds the images, all of them without an argument; `npm run
 * image -- clean` removes them with the storage that was made for them.
 *
 * Ends with 0, 1 if an image cannot be built, 64 for a call that is wrong, and 69 where no container engine works.
 */
import { Schema } from "effect"
import { spawnSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { readyBase, removeStorage } from "./BaseImage.ts"
import { commandLine, type Engine, EngineFailed, findEngine } from "./Engine.ts"
import { buildImage, type ProductImage, productImages } from "./ProductImage.ts"
import { storageFolder } from "./storageFolder.ts"

const exitCodes = { done: 0, failed: 1, usage: 64, unavailable: 69 } as const

const root = fileURLToPath(new URL("../../../", import.meta.url)).replace(/\/$/, "")
const say = (line: string): void => console.error(line)

const Manifest = Schema.fromJsonString(Schema.Struct({ packageManager: Schema.String }))
const npmVersion = (): string =>
  Schema.decodeUnknownSync(Manifest)(readFileSync(`${root}/package.json`, "utf8")).packageManager.replace(/^npm@/, "")

const setUp = (purpose: string): boolean =>
  spawnSync(process.execPath, [`${root}/tools/setup/src/main.mjs`, purpose], { stdio: "inherit" }).status === 0

const readyEngine = (): Engine | undefined => {
  const named = process.env["LECTERN_CONTAINER_ENGINE"]
  return findEngine(named, storageFolder) ?? (setUp("image") ? findEngine(named, storageFolder) : undefined)
}

const revision = (): string =>
  spawnSync("git", ["-C", root, "rev-parse", "HEAD"], { encoding: "utf8" }).stdout.trim() || "unknown"

const build = (engine: Engine, images: ReadonlyArray<ProductImage>): void => {
  const base = readyBase(engine, {
    named: process.env["LECTERN_IMAGE_BASE"],
    folder: storageFolder,
    npm: npmVersion(),
    say,
    setUp: () => setUp("base-image")
  })
  for (const image of images) {
    say(`Building ${image.tag} on ${base}`)
    buildImage(engine, image, { root, base, revision: revision(), certificates: process.env["NODE_EXTRA_CA_CERTS"] })
  }
  say("")
  say("To check the image of the encodes:")
  say(`    LECTERN_CONTAINER_ENGINE='${commandLine(engine)}' npx lectern readiness --docker`)
}

const main = (words: ReadonlyArray<string>): number => {
  const images = words.length === 0
    ? Object.values(productImages)
    : Object.values(productImages).filter(({ name }) => words.includes(name))
  const isClean = words.length === 1 && words[0] === "clean"
  if (!isClean && images.length < new Set(words).size) {
    say(`Cannot build ${words.join(", ")}: the images are ${Object.keys(productImages).join(", ")}; or say clean`)
    return exitCodes.usage
  }
  const engine = readyEngine()
  if (engine === undefined) {
    say("Cannot build images: no container engine works here (Docker, or Podman; as root on Debian it is installed)")
    return exitCodes.unavailable
  }
  try {
    if (isClean) removeStorage(engine, storageFolder)
    else build(engine, images)
    return exitCodes.done
  } catch (error) {
    if (!(error instanceof EngineFailed)) throw error
    say(error.message)
    return exitCodes.failed
  }
}

process.exitCode = main(process.argv.slice(2))
