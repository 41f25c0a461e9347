/** What a column of a class list can mean. The last four are known so that they are not taken for something else. */
export type ColumnField =
  | "name"
  | "studentPhone"
  | "guardianPhone"
  | "phone"
  | "school"
  | "grade"
  | "className"
  | "gender"
  | "birthDate"
  | "memo"
  | "number"
  | "guardianName"
  | "error"
  | "other"

/** The column that an error workbook adds, and knows again when it comes back. */
export const errorColumnLabel = "오류"

const guardianWords =
  "학부모님|학부모|보호자님|보호자|부모님|부모|어머니|어머님|아버지|아버님|엄마|아빠|할머니|할아버지|조부모|" +
  "parents|parent|guardians|guardian|mothers|mother|fathers|father|mom|dad"
const studentWords =
  "학생|원생|수강생|재원생|본인|자녀|아동|아이|원아|students|student|pupils|pupil|learner|child|kid"

const words = (text: string): ReadonlyArray<string> => text.split(" ")

const phoneWords = new Set([
  ...words("전화 전화번호 연락처 연락번호 연락전화 휴대폰 휴대폰번호 휴대전화 휴대전화번호 휴대번호"),
  ...words("핸드폰 핸드폰번호 모바일 모바일번호 폰 폰번호 hp hp번호 phone phones phoneno phonenumber phonenumbers"),
  ...words("mobile mobileno mobilenumber mobilephone cell cellno cellnumber cellphone cellphonenumber"),
  ...words("tel telno telephone telephonenumber contact contactno contactnumber")
])

const nameWords = new Set(words("이름 성명 명 성함 name fullname names"))

const plainWords: ReadonlyArray<readonly [field: ColumnField, labels: string]> = [
  ["school", "학교 학교명 학교이름 재학학교 소속학교 출신학교 school schoolname"],
  ["grade", "학년 grade gradelevel schoolyear year"],
  ["className", "반 반명 반이름 클래스 학급 수강반 분반 class classname homeroom"],
  ["gender", "성별 남녀 gender sex"],
  ["birthDate", "생년월일 생일 출생일 birthdate dateofbirth dob birthday birth"],
  ["memo", "비고 메모 참고 참고사항 특이사항 기타 memo note notes remark remarks comment comments"],
  ["number", "번호 연번 순번 순서 구분 학번 학생번호 원생번호 출석번호 no num number # seq id studentid studentno studentnumber"],
  ["error", `${errorColumnLabel} error errors`]
]

const plain: ReadonlyMap<string, ColumnField> = new Map(
  plainWords.flatMap(([field, labels]) => words(labels).map((label) => [label, field] as const))
)

/** What brackets say about a field without changing what it is. */
const asides =
  /[(<[{【]\s*(필수|선택|필수입력|선택입력|required|optional|mandatory|숫자만|한글|국문|실명|예[:)].*?|ex[.:)].*?)\s*[)>\]}】]/g

/** A label without what makes no difference: width, case, spaces, brackets, marks of mandatory fields. */
const bare = (label: string): string =>
  label
    .normalize("NFKC")
    .toLowerCase()
    .replace(/\(\s*모\s*\)/g, "어머니")
    .replace(/\(\s*부\s*\)/g, "아버지")
    .replace(/\bor\b/g, "/")
    .replace(asides, "")
    .replace(/[\s*_\-.:·,'’"()[\]<>{}【】※★●○]/g, "")

const studentLead = new RegExp(`^(?:${studentWords})(?:의|s)?`)
const guardianAnywhere = new RegExp(`(?:${guardianWords})(?:의)?`, "g")
const studentAnywhere = new RegExp(`(?:${studentWords})(?:의)?`)

/** What is left between two words for the same person: "Parent/Guardian phone", "학부모 또는 보호자 연락처". */
const joints = /^s+|[/&|]|또는|혹은|및/g

/** Marks that put two meanings side by side: "학생/학부모 연락처" is either's, "학생 학부모 연락처" is the guardian's. */
const alternative = /[/,·&|]|\bor\b|또는|혹은|및/i

const phoneOrName = (rest: string): "phone" | "name" | null => {
  const unnumbered = rest.replace(/\d+$/, "")
  if (phoneWords.has(unnumbered)) return "phone"
  return nameWords.has(unnumbered) ? "name" : null
}

/** A field named for a person: whose it is, and what it is. Null if the label is no such field. */
const personal = (label: string, text: string): ColumnField | null => {
  const withoutGuardian = text.replace(guardianAnywhere, "")
  const guardian = withoutGuardian !== text
  const student = studentAnywhere.test(withoutGuardian)
  if (guardian && student) {
    const what = phoneOrName(withoutGuardian.replace(studentAnywhere, "").replace(joints, ""))
    if (what === null) return "other"
    const either = alternative.test(label.normalize("NFKC"))
    if (what === "phone") return either ? "phone" : "guardianPhone"
    return either ? "other" : "guardianName"
  }
  if (guardian) {
    const rest = withoutGuardian.replace(joints, "")
    const what = phoneOrName(rest)
    if (rest === "번호" || what === "phone") return "guardianPhone"
    return what === "name" || rest === "" ? "guardianName" : "other"
  }
  // "모 연락처", "부 H.P": one syllable is a parent only in front of a word for a phone or a name.
  if (/^[모부]/.test(text)) {
    const what = phoneOrName(text.slice(1))
    return what === "phone" ? "guardianPhone" : what === "name" ? "guardianName" : null
  }
  if (!student) return null
  const own = studentLead.test(text) ? text.replace(studentLead, "") : text.replace(studentAnywhere, "")
  if (own === "") return "name"
  const what = phoneOrName(own)
  return what === "phone" ? "studentPhone" : what
}

/** One field said twice, as in "Name (이름)" and "보호자 연락처 / Guardian phone". */
const saidTwice = (label: string): ColumnField | null => {
  const halves = /^([^()[\]/]+)[([/]([^()[\]/]+)[)\]]?$/.exec(label.normalize("NFKC").trim())
  if (halves === null) return null
  const [, first = "", second = ""] = halves
  const field = readLabel(first)
  return field !== null && field !== "other" && field === readLabel(second) ? field : null
}

/**
 * What a header label means, or null for a label that means nothing here. Whose number a number is, is read from the
 * label alone: a bare "연락처" is "phone", which is nobody's yet.
 */
export const readHeaderLabel = (label: string): ColumnField | null => {
  if (label.length > 60) return null
  const field = readLabel(label)
  return field === null || field === "other" ? saidTwice(label) ?? field : field
}

const readLabel = (label: string): ColumnField | null => {
  const text = bare(label)
  if (text === "") return null
  const known = plain.get(text)
  if (known !== undefined) return known
  const of = personal(label, text)
  if (of !== null) return of
  const what = phoneOrName(text)
  if (what !== null) return what
  const afterStudent = plain.get(text.replace(studentLead, ""))
  if (afterStudent !== undefined && afterStudent !== "number") return afterStudent
  return /전화|연락처|이메일|메일|주소|우편번호|email|mail|address|과목|수강|등록일|입학일|phone|tel/.test(text) ? "other" : null
}
