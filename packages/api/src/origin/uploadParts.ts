/** Bytes of the largest file that is taken; the encoder takes no more. */
export const maxFileBytes = 50 * 1024 ** 3

/** So many that all their names fit the body of one request. */
export const maxUploadParts = 500

const mebibyte = 1024 ** 2
const usualPartBytes = 16 * mebibyte

/** How a file of so many bytes is cut: in parts of whole MiB, of 16 MiB where that is not too many. */
export const uploadParts = (fileBytes: number): { readonly size: number; readonly count: number } => {
  const size = Math.max(usualPartBytes, Math.ceil(fileBytes / maxUploadParts / mebibyte) * mebibyte)
  return { size, count: Math.ceil(fileBytes / size) }
}
