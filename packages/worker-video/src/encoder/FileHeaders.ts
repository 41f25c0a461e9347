import type { EncodedFile } from "./EncodeResult.ts"
import { storyboardFolder } from "./Storyboard.ts"

const immutable = "public, max-age=31536000, immutable"

/** How a file of the output is served, by its path and the folder of the sound, if there is one. */
export const fileHeaders = (path: string, audioName: string | null): Pick<EncodedFile, "cacheControl" | "contentType"> => {
  if (path.endsWith(".m3u8")) return { contentType: "application/vnd.apple.mpegurl", cacheControl: "no-cache" }
  if (path.endsWith(".vtt")) return { contentType: "text/vtt; charset=utf-8", cacheControl: immutable }
  if (path.startsWith(`${storyboardFolder}/`)) return { contentType: "image/jpeg", cacheControl: immutable }
  if (path.endsWith(".jpg")) return { contentType: "image/jpeg", cacheControl: "no-cache" }
  const sound = audioName !== null && path.startsWith(`${audioName}/`)
  return { contentType: sound ? "audio/mp4" : "video/mp4", cacheControl: immutable }
}
