import { Effect, FileSystem, Path } from "effect"

/** What an encode on this machine runs. */
const programs = ["ffmpeg", "ffprobe"]

/** Why no video can be encoded on this machine, and what to do about it; `null` where nothing is missing. */
export const missingPrograms: Effect.Effect<string | null, never, FileSystem.FileSystem | Path.Path> = Effect.gen(function*() {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const folders = (process.env["PATH"] ?? "").split(process.platform === "win32" ? ";" : ":").filter((folder) => folder !== "")
  const names = process.platform === "win32" ? programs.map((name) => `${name}.exe`) : programs
  const isThere = (name: string) =>
    Effect.reduce(folders, () => false, (found, folder) =>
      found ? Effect.succeed(true) : Effect.orElseSucceed(fs.exists(path.join(folder, name)), () => false))
  const missing: Array<string> = []
  for (const name of names) if (!(yield* isThere(name))) missing.push(name)
  return missing.length === 0
    ? null
    : `Cannot encode videos: ${missing.join(" and ")} not on PATH; install with "apt-get install ffmpeg" (Debian, Ubuntu), ` +
      "\"brew install ffmpeg\" (macOS) or from https://ffmpeg.org/download.html"
})
