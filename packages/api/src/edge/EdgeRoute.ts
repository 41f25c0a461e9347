import type { JobId, Subject, VideoId } from "@lectern/domain"

/** What a path asks for. */
export type EdgeRoute =
  | { readonly _tag: "Progress"; readonly subject: Subject }
  /** Several at once. Nothing is in it twice that was not named twice. */
  | { readonly _tag: "Tray"; readonly subjects: ReadonlyArray<Subject> }
  /** The same as a stream of events: of one subject, or of a tray. */
  | { readonly _tag: "Events"; readonly subjects: ReadonlyArray<Subject> }
  | { readonly _tag: "BadId"; readonly detail: string }
  | { readonly _tag: "NoSlash" }
  | { readonly _tag: "Unknown" }

const videoPrefix = "/api/v1/media/videos/"
const jobPrefix = "/api/v1/jobs/"
const suffix = "/progress/"
const eventsSuffix = "events/"
const trayPath = "/api/v1/progress/"

/** Characters of a job's id (CONTRACT.md, section 2). */
export const maxJobIdChars = 64

/** Subjects of one tray. */
export const maxTraySubjects = 100

const unknown: EdgeRoute = { _tag: "Unknown" }
const noSlash: EdgeRoute = { _tag: "NoSlash" }
const badVideoId: EdgeRoute = { _tag: "BadId", detail: "A video's id is a positive integer" }
const badJobId: EdgeRoute = {
  _tag: "BadId",
  detail: `A job's id is a text of 1 to ${maxJobIdChars} characters without control characters`
}

const badTray: EdgeRoute = {
  _tag: "BadId",
  detail: `A tray names at most ${maxTraySubjects} videos and jobs, as ?videos=1,2&jobs=a,b`
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

/** `null` for what encodes no text. */
const decoded = (text: string): string | null => {
  if (!text.includes("%")) return text
  try {
    return decodeURIComponent(text)
  } catch {
    return null
  }
}

const jobRoute = (segment: string): EdgeRoute => {
  const id = decoded(segment)
  return id !== null && isJobId(id) ? { _tag: "Progress", subject: { _tag: "Job", id } } : badJobId
}

/** Characters of a query that are looked at: a hundred ids of jobs, each character of them encoded. */
const maxQueryChars = maxTraySubjects * (9 * maxJobIdChars + 3)

/**
 * The subjects of a query, videos first, each kind in its order. As forms encode it: `+` is a space, a comma may be encoded; so a
 * job whose id has a comma is asked for by its own path.
 */
const trayRoute = (query: string): EdgeRoute => {
  if (query.length > maxQueryChars) return badTray
  const videos: Array<Subject> = []
  const jobs: Array<Subject> = []
  for (const pair of query.split("&")) {
    const equals = pair.indexOf("=")
    const name = equals === -1 ? pair : pair.slice(0, equals)
    if (name !== "videos" && name !== "jobs") continue
    const value = equals === -1 ? "" : decoded(pair.slice(equals + 1).replaceAll("+", " "))
    if (value === null) return name === "videos" ? badVideoId : badJobId
    if (value === "") continue
    const ids = value.split(",")
    if (videos.length + jobs.length + ids.length > maxTraySubjects) return badTray
    for (const text of ids) {
      if (name === "videos") {
        const route = videoRoute(text)
        if (route._tag !== "Progress") return route
        videos.push(route.subject)
      } else {
        if (!isJobId(text)) return badJobId
        jobs.push({ _tag: "Job", id: text })
      }
    }
  }
  return { _tag: "Tray", subjects: [...videos, ...jobs] }
}

/** The query of an address, without its question mark. */
const queryOf = (url: string): string => /^[^?#]*\?([^#]*)/.exec(url)?.[1] ?? ""

/** The path of an address or of a request line, without its query. */
const pathOf = (url: string): string => {
  const start = url.startsWith("/") ? 0 : url.indexOf("/", url.indexOf("://") + 3)
  if (start === -1) return "/"
  const query = url.search(/[?#]/)
  return query === -1 ? (start === 0 ? url : url.slice(start)) : url.slice(start, query)
}

/** What the path of a poll asks for. */
const pollRoute = (url: string, path: string): EdgeRoute => {
  if (path === trayPath) return trayRoute(queryOf(url))
  if (`${path}/` === trayPath) return noSlash
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

/** Reads an address. Paths end in a slash (CONTRACT.md, section 1). */
export const edgeRoute = (url: string): EdgeRoute => {
  const path = pathOf(url)
  if (!path.endsWith(`/${eventsSuffix}`)) return `${path}/`.endsWith(`/progress/${eventsSuffix}`) ? noSlash : pollRoute(url, path)
  const route = pollRoute(url, path.slice(0, -eventsSuffix.length))
  if (route._tag === "Progress") return { _tag: "Events", subjects: [route.subject] }
  return route._tag === "Tray" ? { _tag: "Events", subjects: route.subjects } : route
}
