import { describe, expect, it } from "@effect/vitest"
import { Result } from "effect"
import * as fc from "fast-check"
import { findHeader, type HeaderMap } from "../../src/import/Header.ts"
import { readHeaderLabel } from "../../src/import/HeaderLabel.ts"
import { headerOf, rowOf } from "./Rows.ts"

const answered = (rows: ReadonlyArray<ReadonlyArray<string>>, guardianColumn: number | null = null) =>
  Result.getOrThrow(findHeader(rows.map((cells, index) => rowOf(index + 1, cells)), guardianColumn))

const found = (rows: ReadonlyArray<ReadonlyArray<string>>, guardianColumn: number | null = null): HeaderMap =>
  headerOf(rows.map((cells, index) => rowOf(index + 1, cells)), guardianColumn)

const refusal = (rows: ReadonlyArray<ReadonlyArray<string>>) =>
  Result.getOrThrow(Result.flip(findHeader(rows.map((cells, index) => rowOf(index + 1, cells)))))

describe("readHeaderLabel", () => {
  it.each([
    ["name", ["이름", "성 명", "학생명", "학생 이름", "이름*", "성명(필수)", "원생명", "학생", "이름 (한글)", "Name", "Student Name", "ｎａｍｅ", "Name (이름)", "이름 / Name"]],
    ["studentPhone", ["학생 연락처", "학생전화번호", "학생 휴대폰(선택)", "학생H.P", "연락처(학생)", "본인 연락처", "Student Mobile", "student_phone"]],
    ["guardianPhone", [
      "학부모 전화번호", "보호자연락처", "학부모(연락처)", "연락처(학부모)", "부모님 전화", "모 연락처", "부 H.P.", "어머니 휴대폰", "학부모연락처1", "학부모 번호",
      "학생 학부모 연락처", "학부모/보호자 연락처", "학부모(모) 연락처", "Parent Phone", "Parent's Phone", "Parent/Guardian Phone Number", "guardianPhone", "Guardian phone (보호자 연락처)"
    ]],
    ["phone", ["연락처", "휴대폰 번호", "H.P", "Phone", "전화", "학생/학부모 연락처", "연락처(학생 또는 학부모)"]],
    ["guardianName", ["학부모 성함", "보호자명", "보호자", "부모이름", "학생 보호자 이름", "Parent Name"]],
    ["school", ["학교", "학교명", "School", "학생 학교"]],
    ["grade", ["학년", "Grade"]],
    ["className", ["반", "반명", "Class"]],
    ["gender", ["성별", "Gender"]],
    ["birthDate", ["생년월일", "생년월일(예: 2010-01-01)", "Date of Birth"]],
    ["memo", ["비고", "메모", "Notes"]],
    ["number", ["번호", "연번", "No.", "학번", "학생번호", "Student ID"]],
    ["error", ["오류"]],
    ["other", ["이메일 (학생)", "집전화", "비상연락처", "학부모 이메일", "보호자 관계"]],
    [null, ["작성: 교무실", "", "부서", "모집", "김가나"]]
  ] as const)("reads as %s what schools write for it", (field, labels) => {
    expect(labels.map((label) => [label, readHeaderLabel(label)])).toEqual(labels.map((label) => [label, field]))
  })
})

describe("findHeader", () => {
  it("finds the header under title rows and maps its columns", () => {
    const header = found([["2026학년도 1학기 수강생 명단"], ["작성: 교무실"], [], ["번호", "학생명", "학부모 전화번호", "", "학교"], ["1", "김가", "010-1234-5678"]])
    expect(header).toMatchObject({ row: 4, fields: { name: 2, school: 5 }, guardianPhones: [3], numberColumns: [1], lastColumn: 5 })
  })

  it("finds the header wherever it stands in the first 50 rows, in whatever order its columns are, and not below", () => {
    const labels = ["이름", "학부모 연락처", "학생 연락처", "학교", "학년", "비고", "모름"]
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 55 }), fc.shuffledSubarray(labels, { minLength: labels.length }), (row, shuffled) => {
        const rows = [rowOf(1, ["명단"]), rowOf(row, shuffled), rowOf(row + 1, ["김가", "이나", "010"])]
        expect(Result.isSuccess(findHeader(rows))).toBe(row <= 50)
        if (row > 50) return
        const header = headerOf(rows)
        expect(header.row).toBe(row)
        expect(header.fields).toMatchObject({ name: shuffled.indexOf("이름") + 1, studentPhone: shuffled.indexOf("학생 연락처") + 1 })
        expect(header.guardianPhones).toEqual([shuffled.indexOf("학부모 연락처") + 1])
      })
    )
  })

  it("never confuses the two numbers, whatever they are called and whichever comes first", () => {
    const phones = fc.constantFrom("연락처", "전화번호", "휴대폰", "핸드폰 번호", "H.P", "휴대전화")
    fc.assert(
      fc.property(
        fc.constantFrom("학부모", "보호자", "부모님", "어머니", "모"), phones, fc.constantFrom("학생", "원생", "본인", ""), phones, fc.boolean(),
        (guardian, guardianPhone, student, studentPhone, guardianFirst) => {
          const labels = [`${guardian} ${guardianPhone}`, `${student} ${studentPhone}`]
          const header = found([["이름", ...(guardianFirst ? labels : labels.reverse())]])
          expect([header.guardianPhones, header.fields.studentPhone]).toEqual(guardianFirst ? [[2], 3] : [[3], 2])
        }
      )
    )
  })

  it("reads a header over two rows whose upper cells are merged", () => {
    const header = found([["명단"], ["이름", "학생", "", "학부모", "", "비고"], ["", "연락처", "학교", "성함", "연락처", ""]])
    expect(header).toMatchObject({ row: 3, fields: { name: 1, studentPhone: 2, school: 3, memo: 6 }, guardianPhones: [5] })
  })

  it("takes the first row of students for no part of the header", () => {
    expect(found([["이름", "학부모 연락처", "비고"], ["학생", "010-1234-5678", "전화"]]).row).toBe(1)
  })

  it("takes a bare number beside the guardian's for the student's, and says so", () => {
    const header = found([["이름", "연락처", "학부모 연락처"]])
    expect(header).toMatchObject({ fields: { studentPhone: 2 }, guardianPhones: [3] })
    expect(header.notes.map((note) => note.code)).toEqual(["phone_is_student"])
  })

  it("leaves out a bare number beside both, and says so", () => {
    const header = found([["이름", "학생 연락처", "전화", "학부모 연락처"]])
    expect(header).toMatchObject({ fields: { studentPhone: 2 }, guardianPhones: [4] })
    expect(header.notes.map((note) => note.code)).toEqual(["phone_column_ignored"])
  })

  it.each([
    [["이름", "연락처"], [2]],
    [["이름", "학생 연락처", "연락처"], [3]],
    [["이름", "학생/학부모 연락처"], [2]],
    [["이름", "휴대폰", "전화번호"], [2, 3]]
  ])("asks whose number it is in %j", (labels, columns) => {
    const header = answered([labels])
    if (!("_tag" in header)) throw new Error("Nobody was asked")
    expect(header.choices.map(({ column }) => column)).toEqual(columns)
    expect(header.choices.map(({ asGuardian }) => asGuardian.guardianPhones)).toEqual(columns.map((column) => [column]))
  })

  it("takes of two bare numbers the other for the student's when one is said to be the guardian's", () => {
    const header = found([["이름", "휴대폰", "전화번호"]], 3)
    expect(header.guardianPhones).toEqual([3])
    expect(header.fields.studentPhone).toBe(2)
  })

  it("reads a lone number as the guardian's when a person has said so, with a note", () => {
    const header = found([["이름", "연락처"]], 2)
    expect(header.guardianPhones).toEqual([2])
    expect(header.notes.map((note) => note.code)).toEqual(["phone_is_guardian"])
  })

  it("says which mandatory columns are missing and what it found", () => {
    const error = refusal([["명단"], ["이름", "학교", "학생 연락처"]])
    expect(error).toMatchObject({ code: "header_not_found" })
    expect(error.messageKo).toContain("없는 열: 학부모 연락처 (2행: \"이름\", \"학교\", \"학생 연락처\")")
    expect(error.messageEn).toContain("No header row with guardian phone")
    expect(refusal([["가", "나"]]).messageEn).toContain("No header row with name and guardian phone")
  })

  it("tells no name and no number of a person in place of a header", () => {
    const { messageEn, messageKo } = refusal([["김가나", "010-1234-5678", "기타"], ["이다라", "010-1234-5679", "반"]])
    expect(messageKo + messageEn).not.toMatch(/김가나|이다라|\d{4}/)
    expect(refusal([["이름", "성별", "핸펀", "010-1234-5678"]]).messageEn).toContain(`row 1 has "이름", "성별";`)
    const form = refusal([["반", "3반", "담임", "김가나", "이다라 연락처", "비고"]])
    expect(form.messageKo + form.messageEn).not.toMatch(/김가나|이다라/)
  })

  it("takes the first of two guardians' columns that is filled in, and says so", () => {
    const header = found([["이름", "어머니 연락처", "아버지 연락처"]])
    expect(header.guardianPhones).toEqual([2, 3])
    expect(header.notes.map((note) => note.code)).toEqual(["guardian_phones"])
  })
})
