import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { importSpreadsheet } from "../../src/import/index.ts"
import { rosterFile } from "./Files.ts"
import { rememberingSink } from "./Sinks.ts"

describe("the school's class list", () => {
  it.effect("creates 235 of 240 students and counts the repeated one", () =>
    Effect.gen(function* () {
      const { rows, sink } = rememberingSink()
      const result = yield* importSpreadsheet({ file: rosterFile, sink })
      expect(result).toMatchObject({ total: 240, created: 235, duplicates: 1, failed_rows: 4, failed_omitted: 0 })
      expect(rows()).toHaveLength(235)
      expect(rows().map((row) => row.row)).not.toContain(96)
    }))

  it.effect("refuses the four faulty rows by cell, value and reason in both languages", () =>
    Effect.gen(function* () {
      const { failed } = yield* importSpreadsheet({ file: rosterFile, sink: rememberingSink().sink })
      expect(failed.map(({ address, cell, code, row, value }) => ({ address, cell, code, row, value }))).toEqual([
        { row: 47, cell: "C47", address: "'roster'!C47", value: "010-12-345", code: "phone_too_short" },
        { row: 66, cell: "B66", address: "'roster'!B66", value: "", code: "name_missing" },
        { row: 81, cell: "C81", address: "'roster'!C81", value: "", code: "guardian_phone_missing" },
        { row: 126, cell: "B126", address: "'roster'!B126", value: "=1+1", code: "name_formula" }
      ])
      for (const { reason, reason_en } of failed) {
        expect(reason).toMatch(/[가-힣]/)
        expect(reason_en).toMatch(/^[A-Za-z]/)
      }
    }))

  it.effect("repairs the numbers without dashes and without their leading zero, and says where", () =>
    Effect.gen(function* () {
      const { rows, sink } = rememberingSink()
      const { notes } = yield* importSpreadsheet({ file: rosterFile, sink })
      expect(rows().find((row) => row.row === 12)).toMatchObject({ name: "전서현", guardianPhone: "010-1234-5678" })
      expect(rows().find((row) => row.row === 23)).toMatchObject({ name: "심서윤", guardianPhone: "010-2345-6789" })
      expect(notes.find((note) => note.code === "phones_repaired")?.en).toBe(
        "Phone numbers were normalised in cells: C12, C23"
      )
    }))

  it.effect("skips the template's example and never takes the student's number for the guardian's", () =>
    Effect.gen(function* () {
      const { rows, sink } = rememberingSink()
      const { notes } = yield* importSpreadsheet({ file: rosterFile, sink })
      expect(notes.find((note) => note.code === "example_rows_skipped")?.en).toMatch(/: 5$/)
      expect(notes.find((note) => note.code === "repeated_in_file")?.en).toMatch(/: 96 \(= 95\)$/)
      expect(rows()[0]).toEqual({
        row: 6,
        name: "우수아",
        guardianPhone: "010-7102-3128",
        studentPhone: null,
        school: "가람중",
        grade: "3",
        className: "심화",
        gender: "female",
        birthDate: null,
        memo: null
      })
      expect(rows()[1]).toMatchObject({ guardianPhone: "010-4754-3924", studentPhone: "010-6594-4270" })
    }))

  it.effect("creates nothing when it comes a second time", () =>
    Effect.gen(function* () {
      const { rows, sink } = rememberingSink()
      yield* importSpreadsheet({ file: rosterFile, sink })
      const again = yield* importSpreadsheet({ file: rosterFile, sink })
      expect(again).toMatchObject({ total: 240, created: 0, duplicates: 236, failed_rows: 4 })
      expect(rows()).toHaveLength(235)
    }))
})
