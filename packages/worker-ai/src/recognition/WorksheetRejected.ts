import { Schema } from "effect"

/** Every way in which an upload as a whole is refused. It stays refused: no retry can help. */
export const WorksheetRejectedCode = Schema.Literals([
  "empty_file",
  "file_too_large",
  "not_an_image",
  "image_too_large",
  "unreadable_image",
  "encrypted_pdf",
  "broken_pdf",
  "too_many_pages",
  "page_too_large",
  "page_too_complex"
])
export type WorksheetRejectedCode = typeof WorksheetRejectedCode.Type

const sentences: Readonly<Record<WorksheetRejectedCode, string>> = {
  empty_file: "빈 파일입니다. 다시 올려 주세요",
  file_too_large: "파일이 너무 큽니다. 나누어 올려 주세요",
  not_an_image: "PNG, JPEG 또는 PDF 파일이 아닙니다. 다른 형식으로 저장해 올려 주세요",
  image_too_large: "이미지의 가로나 세로가 너무 큽니다. 해상도를 낮추어 올려 주세요",
  unreadable_image: "이미지를 열 수 없습니다. 파일이 손상되지 않았는지 확인해 주세요",
  encrypted_pdf: "암호가 걸린 PDF 입니다. 암호를 풀고 다시 올려 주세요",
  broken_pdf: "PDF 를 열 수 없습니다. 파일이 손상되지 않았는지 확인해 주세요",
  too_many_pages: "쪽수가 너무 많습니다. 나누어 올려 주세요",
  page_too_large: "PDF 의 쪽 크기가 너무 큽니다. 일반 용지 크기로 저장해 올려 주세요",
  page_too_complex: "PDF 의 한 쪽이 너무 복잡해 그릴 수 없습니다. 이미지로 저장해 올려 주세요"
}

/** The upload cannot be read, and the same upload never will be. `messageKo` says what to do. */
export class WorksheetRejected extends Schema.TaggedError<WorksheetRejected>()("WorksheetRejected", {
  code: WorksheetRejectedCode,
  /** What was found, with its numbers; nothing of what is written on the sheet. */
  detail: Schema.String
}) {
  override get message(): string {
    return `Cannot read the worksheet: ${this.detail}`
  }

  get messageKo(): string {
    return sentences[this.code]
  }
}
