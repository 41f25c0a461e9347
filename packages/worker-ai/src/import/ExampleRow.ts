/** Marks by which templates say that a row is an example. */
const marks = /^[([<]?\s*(예시|예제|샘플|작성\s*예시?|입력\s*예시?|기입\s*예시?|기재\s*예시?|견본|sample|example|e\.g\.?)\s*[)\]>.:]?$/i

/** Marks before a value: "예) 홍길동", "[예시] 홍길동". */
const prefixes = /^(?:[([<]\s*(?:예시|예|샘플|sample|example|ex)\s*[)\]>]|(?:예시|예|샘플|sample|example|ex)\s*[):])\s*\S/i

/** A bare "예" also means "yes", so that it marks an example only where no answer can stand. */
const shortMarks = /^[([<]?\s*(예|ex)\s*[)\]>.:]*$/i

/**
 * Whether a cell's text marks its row as a template's example. `isLabelling` says that the cell numbers or names the
 * row, where "예" cannot be an answer.
 */
export const isExampleMark = (text: string, isLabelling: boolean): boolean =>
  marks.test(text) || (isLabelling && (shortMarks.test(text) || prefixes.test(text)))

/** Names that Korean templates are filled with. A real 홍길동 has a real number: the name alone decides nothing. */
export const isPlaceholderName = (name: string): boolean =>
  /^(홍길동|김철수|김영희|이름|성명|학생\s*\d*|○+|[oO]{2,}|[김이박홍][○oO*]{2}|test|테스트|john doe|jane doe)$/i.test(name)
