import { assert, describe, expect, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { importSpreadsheet, type StudentRow } from "../../src/import/index.ts"
import { rememberingSink } from "./Sinks.ts"

const folder = join(import.meta.dirname, "office")

const text = Schema.optionalKey(Schema.String)
const Truth = Schema.Array(
  Schema.Struct({
    file: Schema.String,
    program: Schema.String,
    outcome: Schema.Literals(["list", "asked", "refused"]),
    students: Schema.optionalKey(
      Schema.Array(
        Schema.Struct({
          name: Schema.String,
          guardianPhone: Schema.String,
          studentPhone: text,
          school: text,
          grade: text,
          className: text,
          gender: text,
          birthDate: text,
          memo: text
        })
      )
    ),
    /** Cells that have to be refused, and no others. */
    refused: Schema.optionalKey(Schema.Array(Schema.String)),
    /** The code by which the whole file has to be refused. */
    code: text
  })
)
type Entry = (typeof Truth.Type)[number]

const truth = await readFile(join(folder, "truth.json"), "utf8").then((json) =>
  Effect.runPromise(Schema.decodeUnknownEffect(Schema.fromJsonString(Truth))(json))
)

/** A student without its row and without what the list does not say. */
const asTold = (student: StudentRow) =>
  Object.fromEntries(Object.entries(student).filter(([field, value]) => field !== "row" && value !== null))

interface Read {
  readonly students: ReadonlyArray<Readonly<Record<string, unknown>>>
  readonly refused: ReadonlyArray<string>
  readonly code: string | null
  readonly asked: boolean
}

/** What the import makes of a file: the students that it takes, the cells that it refuses, the code of a refusal, a question. */
const read = Effect.fnUntraced(function*({ file }: Entry) {
  const { rows, sink } = rememberingSink()
  return yield* importSpreadsheet({ file: join(folder, "files", file), sink }).pipe(
    Effect.map((result): Read => ({
      students: rows().map(asTold),
      refused: result.failed.map(({ cell }) => cell),
      code: null,
      asked: false
    })),
    Effect.catchTags({
      ImportRejected: ({ code }) => Effect.succeed<Read>({ students: [], refused: [], code, asked: false }),
      ImportUndecided: () => Effect.succeed<Read>({ students: [], refused: [], code: null, asked: true })
    })
  )
})

/**
 * `right`: as the careful person reads it. `refused`: something was not taken that could have been, and the user is told.
 * `wrong`: a student was taken who is not in the list, otherwise than in the list, or left out without a word.
 */
const verdict = (entry: Entry, found: Read): "right" | "refused" | "wrong" => {
  const students = entry.students ?? []
  const known = new Set(students.map((student) => JSON.stringify(Object.entries(student).sort())))
  const taken = found.students.map((student) => JSON.stringify(Object.entries(student).sort()))
  if (taken.some((student) => !known.has(student))) return "wrong"
  if (entry.outcome !== "list") {
    const isRight = entry.outcome === "asked" ? found.asked : found.code === entry.code
    return isRight ? "right" : found.asked || found.code !== null ? "refused" : "wrong"
  }
  const missing = students.length - new Set(taken).size
  if (found.asked || found.code !== null) return "refused"
  const more = found.refused.filter((cell) => entry.refused?.includes(cell) !== true)
  if (missing > 0) return more.length >= missing ? "refused" : "wrong"
  return more.length === 0 && entry.refused?.every((cell) => found.refused.includes(cell)) === true ? "right" : "refused"
}

describe("lists as offices make them", () => {
  it("are 60 or more, of three programs or more", () => {
    expect(truth.length).toBeGreaterThanOrEqual(60)
    expect(new Set(truth.map(({ program }) => program)).size).toBeGreaterThanOrEqual(3)
  })

  it.effect("are read right but for one in twenty, and none of them silently wrong", () =>
    Effect.gen(function*() {
      const verdicts = yield* Effect.forEach(truth, (entry) =>
        Effect.map(read(entry), (found) => ({ file: entry.file, verdict: verdict(entry, found), found })))
      const notRight = verdicts.filter((it) => it.verdict !== "right")
      const wrong = notRight.filter((it) => it.verdict === "wrong")
      expect(wrong).toEqual([])
      assert.isAtMost(notRight.length / truth.length, 0.05, JSON.stringify(notRight))
    }))

  it("would be called wrong if a number were another person's, or a student were left out without a word", () => {
    const entry = truth.find(({ outcome, students = [] }) => outcome === "list" && students.length > 2)
    const [first, second, ...rest] = entry?.students ?? []
    if (entry === undefined || first === undefined || second === undefined) throw new Error("Cannot find a list in the truth")
    const found = (students: Read["students"]): Read => ({ students, refused: [], code: null, asked: false })
    expect(verdict(entry, found([first, second, ...rest]))).toBe("right")
    expect(verdict(entry, found([{ ...first, guardianPhone: second.guardianPhone }, second, ...rest]))).toBe("wrong")
    expect(verdict(entry, found([first, ...rest]))).toBe("wrong")
    expect(verdict(entry, { students: [first, ...rest], refused: ["B3"], code: null, asked: false })).toBe("refused")
  })
})
