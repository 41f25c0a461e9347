/** The images of Lectern, and how each is built. */
import { existsSync } from "node:fs"
import { type Engine, runEngine } from "./Engine.ts"

export interface ProductImage {
  /** The name by which it is asked for here. */
  readonly name: "video" | "ai" | "origin" | "ops"
  readonly tag: string
  readonly dockerfile: string
  /** The workspace whose program it runs. */
  readonly workspace: string
}

export const productImages = {
  video: {
    name: "video",
    tag: "localhost/lectern-worker-video",
    dockerfile: "packages/worker-video/Dockerfile",
    workspace: "@lectern/worker-video"
  },
  ai: {
    name: "ai",
    tag: "localhost/lectern-worker-ai",
    dockerfile: "packages/worker-ai/Dockerfile",
    workspace: "@lectern/worker-ai"
  },
  origin: {
    name: "origin",
    tag: "localhost/lectern-origin",
    dockerfile: "packages/api/Dockerfile",
    workspace: "@lectern/api"
  },
  ops: {
    name: "ops",
    tag: "localhost/lectern-ops",
    dockerfile: "packages/cli/Dockerfile",
    workspace: "@lectern/cli"
  }
} as const satisfies Record<string, ProductImage>

export interface BuildOptions {
  /** The root of the repository. */
  readonly root: string
  readonly base: string
  /** The commit that is built. */
  readonly revision: string
  /** The certificates of a network that has its own; they are lent to the build and are in no layer. */
  readonly certificates: string | undefined
}

/**
 * Builds an image. Podman builds it in a chroot, which shares the network of this machine, and in Docker's format:
 * the other one has no health check.
 */
export const buildImage = (engine: Engine, image: ProductImage, options: BuildOptions): void => {
  const { base, certificates, revision, root } = options
  runEngine(engine, [
    "build",
    ...(engine.kind === "podman" ? ["--isolation", "chroot", "--format", "docker", "--quiet"] : []),
    ...(certificates !== undefined && existsSync(certificates) ? ["--secret", `id=ca,src=${certificates}`] : []),
    "--build-arg",
    `BASE=${base}`,
    "--build-arg",
    `REVISION=${revision}`,
    "--tag",
    image.tag,
    "--file",
    `${root}/${image.dockerfile}`,
    root
  ])
}
