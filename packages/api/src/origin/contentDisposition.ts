/** `attachment` under a name in any script (RFC 6266): an ASCII stand-in for old clients, then the name itself. */
export const contentDisposition = (downloadName: string): string => {
  const standIn = downloadName.replace(/[^\x20-\x7e]|["\\%]/g, "_")
  const encoded = encodeURIComponent(downloadName).replace(
    /['()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`
  )
  return `attachment; filename="${standIn}"; filename*=UTF-8''${encoded}`
}
