import { describe, expect, it } from "@effect/vitest"
import * as fc from "fast-check"
import { readBirthDate } from "../../src/import/BirthDate.ts"
import { judgeRow } from "../../src/import/Row.ts"
import { type GivenCell, headerOf, rowOf } from "./Rows.ts"

const labels = ["번호", "이름", "학부모 연락처", "학생 연락처", "성별", "생년월일", "비고", "수신 동의"]
const columns = { sheet: "3학년 '가'반", header: headerOf([rowOf(4, labels)]) }
const judge = (...cells: ReadonlyArray<GivenCell>) => judgeRow(rowOf(17, cells), columns)

const accepted = (...cells: ReadonlyArray<GivenCell>) => {
  const judgement = judge(...cells)
  if (judgement._tag !== "Accepted") throw new Error(`Cannot accept the row: it is ${JSON.stringify(judgement)}`)
  return judgement.student
}

const faults = (...cells: ReadonlyArray<GivenCell>) => {
  const judgement = judge(...cells)
  return judgement._tag === "Refused" ? judgement.problems.map(({ cell, code }) => `${cell} ${code}`) : judgement._tag
}

const phone = "010-1234-5679"

describe("judgeRow", () => {
  it("accepts a student with all that is known, normalised", () => {
    expect(accepted("1", "  김\u00a0 가나 ".normalize("NFD"), "1012345679", "없음", "여자", "2010. 3. 2.", " 메모 ", "예")).toEqual({
      row: 17, name: "김 가나", guardianPhone: phone, studentPhone: null, school: null, grade: null, className: null,
      gender: "female", birthDate: "2010-03-02", memo: "메모"
    })
  })

  it("names each wrong cell, with its sheet as a formula would", () => {
    const judgement = judge("1", "", "010-12-345", "전화", "?", "2010-02-30")
    expect(judgement).toMatchObject({
      _tag: "Refused",
      row: 17,
      problems: [
        { row: 17, cell: "B17", address: "'3학년 ''가''반'!B17", column: "이름", value: "", code: "name_missing" },
        { cell: "C17", column: "학부모 연락처", value: "010-12-345", code: "phone_too_short" },
        { cell: "D17", value: "전화", code: "phone_not_a_number" },
        { cell: "E17", value: "?", code: "gender_unknown" },
        { cell: "F17", value: "2010-02-30", code: "birth_date_unreadable" }
      ]
    })
  })

  it("refuses names that are formulas, computed or written as text", () => {
    expect(faults("1", { text: "김가", formula: `CONCAT("김","가")` }, phone)).toEqual(["B17 name_formula"])
    expect(faults("1", `=cmd|' /C calc'!A0`, phone)).toEqual(["B17 name_formula"])
    expect(faults("1", "@SUM(1)", phone)).toEqual(["B17 name_formula"])
    expect(faults("1", "'=1+1", phone)).toEqual(["B17 name_formula"])
  })

  it("refuses names that are no text, and error values wherever they stand", () => {
    expect(faults("1", { text: "12", kind: "number" }, phone)).toEqual(["B17 name_not_text"])
    expect(faults("1", "---", phone)).toEqual(["B17 name_not_text"])
    expect(faults("1", "#N/A", phone, { text: "#REF!", kind: "error" })).toEqual(["B17 cell_error", "D17 cell_error"])
    expect(faults("1", "가".repeat(51), phone)).toEqual(["B17 text_too_long"])
  })

  it("takes a number that a formula computed, but none that was not saved", () => {
    expect(accepted("1", "김가", { text: "1012345679", kind: "number", formula: "H17" }).guardianPhone).toBe(phone)
    expect(faults("1", "김가", { text: "", formula: "H17" })).toEqual(["C17 formula_without_value"])
  })

  it("refuses a class that a spreadsheet has turned into a date", () => {
    const header = headerOf([rowOf(1, ["이름", "학부모 연락처", "반"])])
    const judged = judgeRow(rowOf(2, ["김가", phone, { text: "2026-03-01", kind: "date" }]), { sheet: "명단", header })
    expect(judged).toMatchObject({ _tag: "Refused", problems: [{ cell: "C2", code: "text_turned_date" }] })
  })

  it("cuts no character in two where it shows a value", () => {
    const judged = judge("1", "김가", `${"a".repeat(99)}😀😀`)
    expect(judged).toMatchObject({ _tag: "Refused", problems: [{ value: "a".repeat(99) }] })
  })

  it("takes words for nothing as nothing: fine for the student's number, missing for the guardian's", () => {
    expect(accepted("1", "김가", phone, "-").studentPhone).toBeNull()
    expect(faults("1", "김가", "없음")).toEqual(["C17 guardian_phone_missing"])
  })

  it.each([
    ["a mark in the numbering", "예", "홍길동", phone],
    ["a mark in the remarks", "1", "김가", phone, "", "", "", "(예시)"],
    ["a mark before the name", "1", "예) 홍길동", phone],
    ["a template's name and number", "1", "홍길동", "010-1234-5678"],
    ["placeholders", "1", "○○○", "010-0000-0000"],
    ["a mark in English", "Sample", "John Doe", phone]
  ])("skips an example row known by %s", (_, ...cells) => {
    expect(judge(...cells)).toEqual({ _tag: "Skipped", row: 17, reason: "example" })
  })

  it("accepts a real student by a template's name, one by the surname 예, and an answer of yes", () => {
    expect(accepted("1", "홍길동", phone).name).toBe("홍길동")
    expect(accepted("1", "예지원", phone, "", "", "", "", "예").name).toBe("예지원")
  })

  it.each([
    ["blank", ["120"]],
    ["blank", [" ", "\u00a0"]],
    ["header", labels],
    ["summary", ["합계", "30명"]],
    ["summary", ["총 30명"]],
    ["remark", ["※ 학부모 연락처는 반드시 적어 주세요"]]
  ])("skips a row as %s that holds no student", (reason, cells) => {
    expect(judge(...cells)).toEqual({ _tag: "Skipped", row: 17, reason })
  })

  it("judges any row without throwing, and accepts none without a name and a Korean number", () => {
    const cell = fc.oneof(fc.constantFrom("", phone, "1012345679", "김가", "예시", "-"), fc.string({ unit: "grapheme" }))
    fc.assert(
      fc.property(fc.array(cell, { maxLength: 8 }), (cells) => {
        const judgement = judge(...cells)
        if (judgement._tag === "Refused") expect(judgement.problems).not.toHaveLength(0)
        if (judgement._tag !== "Accepted") return
        expect(judgement.student.name).toMatch(/\p{L}/u)
        expect(judgement.student.guardianPhone).toMatch(/^0\d{1,3}-\d{3,4}-\d{4}$/)
      })
    )
  })
})

describe("readBirthDate", () => {
  it.each([
    ["2010-03-02", "2010-03-02"],
    ["2010년 3월 2일", "2010-03-02"],
    ["2010/3/2", "2010-03-02"],
    ["２０１００３０２", "2010-03-02"],
    ["100302", "2010-03-02"],
    ["90302", "2009-03-02"],
    ["981231", "1998-12-31"],
    ["2010-02-30", null],
    ["40228", null],
    ["03-02-2010", null],
    ["2010", null]
  ])("reads %s as %s", (text, date) => {
    expect(readBirthDate(text)).toBe(date)
  })
})
