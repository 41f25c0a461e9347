/** The value of `Content-Disposition` for a download under this name: in ASCII for old readers, and exact (RFC 6266). */
export const attachment = (name: string): string => {
  const ascii = name.replaceAll(/[^\x20-\x7e]|["\\%]/g, "_")
  const exact = encodeURIComponent(name.toWellFormed()).replaceAll(/['()*]/g, (character) =>
    `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
  return `attachment; filename="${ascii}"; filename*=UTF-8''${exact}`
}
