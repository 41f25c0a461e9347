/** Worksheets of our own making: drawn with a font of the registry, and hostile ones written by hand. */
import { type Canvas, createCanvas, GlobalFonts } from "@napi-rs/canvas"
import { fileURLToPath } from "node:url"

const fonts = ["korean", "latin"].map((subset) => {
  const name = `Nanum ${subset}`
  GlobalFonts.registerFromPath(
    fileURLToPath(import.meta.resolve(`@fontsource/nanum-gothic/files/nanum-gothic-${subset}-400-normal.woff2`)),
    name
  )
  return `"${name}"`
}).join(", ")

/** A4 at 200 dots an inch. */
const width = 1654
const height = 2339

const blank = (): Canvas => {
  const canvas = createCanvas(width, height)
  const context = canvas.getContext("2d")
  context.fillStyle = "white"
  context.fillRect(0, 0, width, height)
  return canvas
}

const drawn = (lines: ReadonlyArray<string>, fontSize: number, ink: string): Canvas => {
  const canvas = blank()
  const context = canvas.getContext("2d")
  context.fillStyle = ink
  context.font = `${fontSize}px ${fonts}`
  lines.forEach((line, index) => context.fillText(line, 120, 160 + index * fontSize * 2))
  return canvas
}

/** A page with these lines from top to bottom, in pixels of `fontSize`. */
export const sheet = (lines: ReadonlyArray<string>, fontSize = 36, ink = "black"): Promise<Buffer> =>
  drawn(lines, fontSize, ink).encode("png")

export const jpegSheet = (lines: ReadonlyArray<string>): Promise<Buffer> => drawn(lines, 36, "black").encode("jpeg", 92)

export const blankSheet = (): Promise<Buffer> => blank().encode("png")

const pdf = (objects: ReadonlyArray<Buffer | string>, trailer: string): Buffer => {
  const parts: Array<Buffer> = [Buffer.from("%PDF-1.7\n")]
  const offsets: Array<number> = []
  let length = parts[0]?.length ?? 0
  const push = (part: Buffer): void => {
    parts.push(part)
    length += part.length
  }
  objects.forEach((object, index) => {
    offsets.push(length)
    push(Buffer.from(`${index + 1} 0 obj\n`))
    push(Buffer.from(object))
    push(Buffer.from("\nendobj\n"))
  })
  const start = length
  const rows = offsets.map((offset) => `${String(offset).padStart(10, "0")} 00000 n \n`).join("")
  push(Buffer.from(`xref\n0 ${objects.length + 1}\n0000000000 65535 f \n${rows}`))
  push(Buffer.from(`trailer\n<< /Size ${objects.length + 1} /Root 1 0 R ${trailer} >>\nstartxref\n${start}\n%%EOF\n`))
  return Buffer.concat(parts)
}

const stream = (dictionary: string, bytes: Buffer): Buffer =>
  Buffer.concat([
    Buffer.from(`<< ${dictionary} /Length ${bytes.length} >>\nstream\n`),
    bytes,
    Buffer.from("\nendstream")
  ])

/** A PDF of scanned pages, as a copier makes it: each page is one JPEG. */
export const scannedPdf = (pages: ReadonlyArray<Buffer>): Buffer => {
  const kids = pages.map((_, index) => `${3 + index * 3} 0 R`).join(" ")
  return pdf([
    "<< /Type /Catalog /Pages 2 0 R >>",
    `<< /Type /Pages /Kids [${kids}] /Count ${pages.length} >>`,
    ...pages.flatMap((jpeg, index) => {
      const first = 3 + index * 3
      return [
        `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents ${first + 1} 0 R
          /Resources << /XObject << /Scan ${first + 2} 0 R >> >> >>`,
        stream("", Buffer.from("q 595 0 0 842 0 0 cm /Scan Do Q")),
        stream(
          `/Type /XObject /Subtype /Image /Width ${width} /Height ${height} /ColorSpace /DeviceRGB
          /BitsPerComponent 8 /Filter /DCTDecode`,
          jpeg
        )
      ]
    })
  ], "")
}

/** A PDF of `count` pages that are one and the same, `points` wide and high, with these operators on it. */
export const repeatedPdf = (count: number, points = 595, operators = ""): Buffer =>
  pdf([
    "<< /Type /Catalog /Pages 2 0 R >>",
    `<< /Type /Pages /Kids [${Array.from({ length: count }, () => "3 0 R").join(" ")}] /Count ${count} >>`,
    `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 ${points} ${points}] /Contents 4 0 R >>`,
    stream("", Buffer.from(operators))
  ], "")

export const encryptedPdf = (): Buffer => {
  const secret = `<${"ab".repeat(32)}>`
  return pdf([
    "<< /Type /Catalog /Pages 2 0 R >>",
    "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
    "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] >>",
    `<< /Filter /Standard /V 1 /R 2 /O ${secret} /U ${secret} /P -44 >>`
  ], `/Encrypt 4 0 R /ID [<00112233445566778899aabbccddeeff> <00112233445566778899aabbccddeeff>]`)
}

/** The header of a PNG that says it has this size, and nothing behind it. */
export const pngHeader = (pngWidth: number, pngHeight: number): Buffer => {
  const header = Buffer.from("89504e470d0a1a0a0000000d4948445200000000000000000802000000000000000000000049444154", "hex")
  header.writeUInt32BE(pngWidth, 16)
  header.writeUInt32BE(pngHeight, 20)
  return header
}

/** A JPEG up to its frame header, behind a table and fill bytes. */
export const jpegHeader = (jpegWidth: number, jpegHeight: number): Buffer => {
  const frame = Buffer.from("ffd8ffe000044a46ffffc0001108000000000301220002110103110100000000", "hex")
  frame.writeUInt16BE(jpegHeight, 14)
  frame.writeUInt16BE(jpegWidth, 16)
  return frame
}
