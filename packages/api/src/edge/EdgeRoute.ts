import type { JobId, Subject, VideoId } from "@lectern/domain"

/** What a path asks for. */
export type EdgeRoute =
  | { readonly _tag: "Progress"; readonly subject: Subject }
  | { readonly _tag: "BadId"; readonly detail: string }
  | { readonly _tag: "NoSlash" }
  | { readonly _tag: "Unknown" }

const videoPrefix = "/api/v1/media/videos/"
const jobPrefix = "/api/v1/jobs/"
const suffix = "/progress/"

/** Characters of a job's id (CONTRACT.md, section 2). */
export const maxJobIdChars = 64

const unknown: EdgeRoute = { _tag: "Unknown" }
const noSlash: EdgeRoute = { _tag: "NoSlash" }
const badVideoId: EdgeRoute = { _tag: "BadId", detail: "A video's id is a positive integer" }
const badJobId: EdgeRoute = {
  _tag: "BadId",
  detail: `A job's id is a text of 1 to ${maxJobIdChars} characters without control characters`
}

const isVideoId = (value: number): value is VideoId => Number.isSafeInteger(value) && value > 0
const isJobId = (value: string): value is JobId =>
  // Half of a surrogate pair has no UTF-8 form: two such ids would share a key.
  value.length >= 1 && value.length <= maxJobIdChars && !/\p{Cc}/u.test(value) && value.isWellFormed()

const videoRoute = (segment: string): EdgeRoute => {
  // ASCII digits alone: Number() would also take "1e3", " 1" and "0x1".
  const id = /^[0-9]{1,16}$/.test(segment) ? Number(segment) : 0
  return isVideoId(id) ? { _tag: "Progress", subject: { _tag: "Video", id } } : badVideoId
}

const jobRoute = (segment: string): EdgeRoute => {
  let id = segment
  if (segment.includes("%")) {
    try {
      id = decodeURIComponent(segment)
    } catch {
      return badJobId
    }
  }
  return isJobId(id) ? { _tag: "Progress", subject: { _tag: "Job", id } } : badJobId
}

/** The path of an address or of a request line, without its query. */
const pathOf = (url: string): string => {
  const start = url.startsWith("/") ? 0 : url.indexOf("/", url.indexOf("://") + 3)
  if (start === -1) return "/"
  const query = url.search(/[?#]/)
  return query === -1 ? (start === 0 ? url : url.slice(start)) : url.slice(start, query)
}

/** Reads an address. Paths end in a slash (CONTRACT.md, section 1). */
export const edgeRoute = (url: string): EdgeRoute => {
  const path = pathOf(url)
  const isVideo = path.startsWith(videoPrefix)
  if (!isVideo && !path.startsWith(jobPrefix)) return unknown
  const start = isVideo ? videoPrefix.length : jobPrefix.length
  const end = path.indexOf("/", start)
  // The shortest path with a segment: `//progress/` has none and is no path of ours.
  if (end <= start) return unknown
  const rest = path.slice(end)
  if (rest !== suffix) return `${rest}/` === suffix ? noSlash : unknown
  const segment = path.slice(start, end)
  return isVideo ? videoRoute(segment) : jobRoute(segment)
}
