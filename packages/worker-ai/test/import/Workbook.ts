import { type ZipPart, zipOf } from "./Zip.ts"

const relationships = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
const main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"

/** The XML of a workbook, part by part, for shapes that the usual programs do not write. */
export interface WorkbookXml {
  /** The content of `sheetData`, or a whole part if it begins with `<?xml`. */
  readonly sheet: string
  readonly sharedStrings?: string
  readonly styles?: string
  readonly workbookPr?: string
  readonly sheetPart?: string
  /** Attributes of the `sheet` element beyond its name, id and relationship. */
  readonly sheetAttributes?: string
  readonly sheetName?: string
  readonly more?: ReadonlyArray<ZipPart>
}

export const workbookParts = (xml: WorkbookXml): ReadonlyArray<ZipPart> => {
  const part = xml.sheetPart ?? "worksheets/sheet1.xml"
  return [
    {
      name: "[Content_Types].xml",
      content: `<Types><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/></Types>`
    },
    {
      name: "_rels/.rels",
      content: `<Relationships><Relationship Id="r1" Type="${relationships}/officeDocument" Target="xl/workbook.xml"/></Relationships>`
    },
    {
      name: "xl/workbook.xml",
      content: `<workbook xmlns="${main}" xmlns:r="${relationships}">${xml.workbookPr ?? ""}<sheets><sheet name="${xml.sheetName ?? "명단"}" sheetId="1" r:id="s1" ${xml.sheetAttributes ?? ""}/></sheets></workbook>`
    },
    {
      name: "xl/_rels/workbook.xml.rels",
      content: `<Relationships><Relationship Id="s1" Type="${relationships}/worksheet" Target="${part}"/><Relationship Id="s2" Type="${relationships}/sharedStrings" Target="strings.xml"/><Relationship Id="s3" Type="${relationships}/styles" Target="looks.xml"/></Relationships>`
    },
    { name: "xl/strings.xml", content: xml.sharedStrings ?? `<sst xmlns="${main}"/>` },
    { name: "xl/looks.xml", content: xml.styles ?? `<styleSheet xmlns="${main}"/>` },
    {
      name: part.startsWith("/") ? part.slice(1) : `xl/${part}`,
      content: xml.sheet.startsWith("<?xml")
        ? xml.sheet
        : `<worksheet xmlns="${main}"><sheetData>${xml.sheet}</sheetData></worksheet>`
    },
    ...(xml.more ?? [])
  ]
}

export const workbookOf = (xml: WorkbookXml): Buffer => zipOf(workbookParts(xml))

/** A row of inline strings, without addresses. */
export const textRow = (texts: ReadonlyArray<string>): string =>
  `<row>${texts.map((text) => `<c t="inlineStr"><is><t>${text}</t></is></c>`).join("")}</row>`
