/** The path of an absolute or relative address, without query; cheap, because every poll passes here. */
export const requestPath = (url: string): string => {
  const start = url.startsWith("/") ? 0 : url.indexOf("/", url.indexOf("://") + 3)
  if (start === -1) return "/"
  for (let index = start; index < url.length; index++) {
    const code = url.charCodeAt(index)
    if (code === 63 || code === 35) return url.slice(start, index)
  }
  return url.slice(start)
}

const progressPath = /^\/api\/v1\/(?:(?:media\/videos|jobs)\/[^/]+\/)?progress(?:\/events)?\/?$/

/** Whether the edge answers this path, whatever the method. */
export const isProgressPath = (path: string): boolean =>
  path.includes("/progress") && progressPath.test(path)

/** A path for the log: addresses of objects carry the right to them, and that is nobody's to read in a log. */
export const loggablePath = (path: string): string =>
  path.replace(/^(\/api\/v1\/objects|\/media)\/[^/]+/, "$1/{token}").slice(0, 300)
