import { Effect, Stream } from "effect"
import { type ClassList, type ClassListFile, openClassList } from "./ClassList.ts"
import { columnOfAddress } from "./CellAddress.ts"
import type { HeaderMap, ImportNote } from "./Header.ts"
import type { ClassListFault, ImportFault } from "./ImportFault.ts"
import { type CellRefusal, judgeRow, naturalKey, type RowJudgement, type StudentRow } from "./Row.ts"
import type { SheetRow } from "./SheetReader.ts"

/** What became of the rows of one batch: each of its row numbers stands in exactly one of the two. */
export interface BatchOutcome {
  readonly created: ReadonlyArray<number>
  /** Students that were there before, from another file or an earlier attempt. */
  readonly duplicates: ReadonlyArray<number>
}

/** Where good rows go. Batches come one at a time, in the order of the file, and never twice in one run. */
export interface StudentSink<E> {
  readonly insertBatch: (rows: ReadonlyArray<StudentRow>) => Effect.Effect<BatchOutcome, E>
  /**
   * What `insertBatch` would answer, without writing. A dry run asks it; without it, a dry run knows only of the
   * duplicates inside the file.
   */
  readonly previewBatch?: (rows: ReadonlyArray<StudentRow>) => Effect.Effect<BatchOutcome, E>
}

/** How far an import is. */
export interface ImportProgress {
  /** First the whole file is read and judged, then its good rows are written. */
  readonly step: "parsing" | "creating"
  readonly rowsDone: number
  /** Known once the file has been read to its end. */
  readonly rowsTotal: number | null
  /** Of the step, 0 to 1. */
  readonly fraction: number
}

export interface StudentImportOptions<E> extends ClassListFile {
  readonly sink: StudentSink<E>
  readonly onProgress?: (progress: ImportProgress) => Effect.Effect<void, E>
  /** Rows per call of the sink, 1,000 if not given. */
  readonly batchSize?: number
  /** Refused cells that the result lists, 1,000 if not given; the others are counted. */
  readonly failedAtMost?: number
  readonly dryRun?: boolean
}

/** One refused cell, in the words of the job's result. */
export interface FailedCell {
  readonly row: number
  readonly cell: string
  /** `'학생명단'!C17` */
  readonly address: string
  readonly column: string
  readonly value: string
  readonly reason: string
  readonly reason_en: string
  readonly code: string
}

/** `created`, `duplicates` and `failed_rows` add up to `total`. */
export interface StudentImportResult {
  readonly created: number
  readonly failed: ReadonlyArray<FailedCell>
  readonly failed_rows: number
  /** Refused cells that `failed` has no room for. */
  readonly failed_omitted: number
  readonly duplicates: number
  /** Rows of students; blank rows, examples, repeated headers, sums and remarks are none. */
  readonly total: number
  readonly notes: ReadonlyArray<ImportNote>
  readonly sheet: string
  readonly dry_run: boolean
}

const defaultBatchSize = 1_000
const defaultFailedAtMost = 1_000

/** Rows or cells that a note names; the others are counted. */
const namedInNote = 20

const failedCell = (refusal: CellRefusal): FailedCell => ({
  row: refusal.row,
  cell: refusal.cell,
  address: refusal.address,
  column: refusal.column,
  value: refusal.value,
  reason: refusal.reasonKo,
  reason_en: refusal.reasonEn,
  code: refusal.code
})

/** A list that remembers its first few members and counts the rest, for a sentence in a note. */
class Mentions {
  count = 0
  readonly #named: Array<string> = []

  add(mention: string): void {
    this.count++
    if (this.#named.length < namedInNote) this.#named.push(mention)
  }

  text(more: (count: number) => string): string {
    const omitted = this.count - this.#named.length
    return this.#named.join(", ") + (omitted > 0 ? more(omitted) : "")
  }
}

const moreKo = (count: number): string => ` 외 ${count}개`
const moreEn = (count: number): string => ` and ${count} more`

/** What the first reading of the file gathers. */
class Survey {
  total = 0
  accepted = 0
  failedRows = 0
  failedOmitted = 0
  readonly failed: Array<FailedCell> = []
  readonly #failedAtMost: number
  readonly #repairs = new Mentions()
  readonly #examples = new Mentions()
  readonly #asides = new Mentions()
  readonly #hidden = new Mentions()
  readonly merged = new Mentions()

  constructor(failedAtMost: number) {
    this.#failedAtMost = failedAtMost
  }

  add(judgement: RowJudgement, row: SheetRow): void {
    if (judgement._tag === "Skipped") {
      if (judgement.reason === "example") this.#examples.add(String(row.row))
      else if (judgement.reason !== "blank") this.#asides.add(String(row.row))
      return
    }
    this.total++
    if (row.hidden) this.#hidden.add(String(row.row))
    if (judgement._tag === "Refused") {
      this.failedRows++
      for (const problem of judgement.problems) {
        if (this.failed.length < this.#failedAtMost) this.failed.push(failedCell(problem))
        else this.failedOmitted++
      }
      return
    }
    this.accepted++
    for (const repair of judgement.repairs) this.#repairs.add(repair.cell)
  }

  notes(): ReadonlyArray<ImportNote> {
    const kinds = [
      {
        code: "phones_repaired",
        of: this.#repairs,
        ko: "전화번호 표기를 바로잡은 셀",
        en: "Phone numbers were normalised in cells"
      },
      {
        code: "example_rows_skipped",
        of: this.#examples,
        ko: "예시라서 읽지 않은 행",
        en: "Rows skipped as a template's example"
      },
      {
        code: "other_rows_skipped",
        of: this.#asides,
        ko: "학생이 아니라서 읽지 않은 행",
        en: "Rows skipped as they hold no student"
      },
      {
        code: "merged_over_rows",
        of: this.merged,
        ko: "여러 행에 걸쳐 병합되어 첫 행의 값으로만 읽은 셀",
        en: "Cells merged over several rows, whose value was read for the first of them alone"
      },
      { code: "hidden_rows", of: this.#hidden, ko: "숨겨져 있지만 읽은 행", en: "Hidden rows that were read" }
    ]
    return kinds
      .filter(({ of }) => of.count > 0)
      .map(({ code, en, ko, of }) => ({ code, ko: `${ko}: ${of.text(moreKo)}`, en: `${en}: ${of.text(moreEn)}` }))
  }
}

/** Whether a range lies below the header and begins in a column that is read. */
const isRead = ({ fields, guardianPhones, row }: HeaderMap, range: string): boolean =>
  Number(/\d+$/.exec(range)?.[0]) > row + 1 &&
  [...Object.values(fields), ...guardianPhones].includes(columnOfAddress(range))

/** Each data row of the list with its judgement, batch by batch. */
const forEachBatch = <E>(
  list: ClassList,
  visit: (
    rows: ReadonlyArray<{ readonly row: SheetRow; readonly judgement: RowJudgement }>,
    fraction: number,
    mergedOverRows: ReadonlyArray<string>
  ) => Effect.Effect<void, E>
): Effect.Effect<void, E | ImportFault> =>
  Stream.runForEach(list.sheet.batches, ({ fraction, mergedOverRows = [], rows }) =>
    visit(
      rows
        .filter((row) => row.row > list.header.row)
        .map((row) => ({ row, judgement: judgeRow(row, { sheet: list.sheet.name, header: list.header }) })),
      fraction,
      mergedOverRows.filter((range) => isRead(list.header, range))
    )
  )

/** Reads the whole file, so that nothing is written of one that turns out to be broken. */
const survey = Effect.fn("StudentImport.survey")(function* <E>(
  list: ClassList,
  failedAtMost: number,
  report: (progress: ImportProgress) => Effect.Effect<void, E>
) {
  const found = new Survey(failedAtMost)
  let reported = 0
  yield* forEachBatch(list, (rows, fraction, mergedOverRows) => {
    for (const { judgement, row } of rows) found.add(judgement, row)
    for (const range of mergedOverRows) found.merged.add(range)
    // A bar cannot show less than a hundredth.
    if (fraction - reported < 0.01) return Effect.void
    reported = fraction
    return report({ step: "parsing", rowsDone: found.total, rowsTotal: null, fraction })
  })
  yield* report({ step: "parsing", rowsDone: found.total, rowsTotal: found.total, fraction: 1 })
  return found
})

/** Asks nobody: with no record to ask, a dry run takes every student of the file for new. */
const assumeNew = (rows: ReadonlyArray<StudentRow>): Effect.Effect<BatchOutcome> =>
  Effect.succeed({ created: rows.map((row) => row.row), duplicates: [] })

const checkedOutcome = (rows: ReadonlyArray<StudentRow>, outcome: BatchOutcome): Effect.Effect<BatchOutcome> =>
  outcome.created.length + outcome.duplicates.length === rows.length
    ? Effect.succeed(outcome)
    : Effect.die(
        new Error(
          `Cannot count a batch of ${rows.length} rows: the sink answered for ${outcome.created.length} created ` +
            `and ${outcome.duplicates.length} duplicates`
        )
      )

const create = Effect.fn("StudentImport.create")(function* <E>(
  list: ClassList,
  total: number,
  batchSize: number,
  insert: (rows: ReadonlyArray<StudentRow>) => Effect.Effect<BatchOutcome, E>,
  report: (progress: ImportProgress) => Effect.Effect<void, E>
) {
  const firstRows = new Map<string, number>()
  const repeated = new Mentions()
  const waiting: Array<StudentRow> = []
  let created = 0
  let duplicates = 0
  let rowsDone = 0

  const write = (rows: ReadonlyArray<StudentRow>, done: number) =>
    insert(rows).pipe(
      Effect.flatMap((outcome) => checkedOutcome(rows, outcome)),
      Effect.flatMap((outcome) => {
        created += outcome.created.length
        duplicates += outcome.duplicates.length
        return report({ step: "creating", rowsDone: done, rowsTotal: total, fraction: total > 0 ? done / total : 1 })
      })
    )

  yield* forEachBatch(list, (rows) => {
    const full: Array<{ readonly rows: ReadonlyArray<StudentRow>; readonly done: number }> = []
    for (const { judgement } of rows) {
      if (judgement._tag === "Skipped") continue
      rowsDone++
      if (judgement._tag === "Refused") continue
      const { student } = judgement
      const key = naturalKey(student)
      const first = firstRows.get(key)
      if (first !== undefined) {
        duplicates++
        repeated.add(`${student.row} (= ${first})`)
        continue
      }
      firstRows.set(key, student.row)
      waiting.push(student)
      if (waiting.length >= batchSize) full.push({ rows: waiting.splice(0), done: rowsDone })
    }
    return Effect.forEach(full, (batch) => write(batch.rows, batch.done), { discard: true })
  })
  if (waiting.length > 0) yield* write(waiting, rowsDone)
  yield* report({ step: "creating", rowsDone: total, rowsTotal: total, fraction: 1 })
  const notes: ReadonlyArray<ImportNote> =
    repeated.count === 0
      ? []
      : [{
          code: "repeated_in_file",
          ko: `파일 안에서 앞 행과 같은 학생인 행: ${repeated.text(moreKo)}`,
          en: `Rows that repeat a student of an earlier row: ${repeated.text(moreEn)}`
        }]
  return { created, duplicates, notes }
})

const run = Effect.fn("StudentImport.importSpreadsheet")(function* <E>(options: StudentImportOptions<E>) {
  const report: (progress: ImportProgress) => Effect.Effect<void, E> = options.onProgress ?? (() => Effect.void)
  const dryRun = options.dryRun ?? false
  const list = yield* openClassList(options)
  const found = yield* survey(list, options.failedAtMost ?? defaultFailedAtMost, report)
  const insert: (rows: ReadonlyArray<StudentRow>) => Effect.Effect<BatchOutcome, E> = dryRun
    ? (options.sink.previewBatch ?? assumeNew)
    : options.sink.insertBatch
  const written = yield* create(list, found.total, options.batchSize ?? defaultBatchSize, insert, report)
  return {
    created: written.created,
    failed: found.failed,
    failed_rows: found.failedRows,
    failed_omitted: found.failedOmitted,
    duplicates: written.duplicates,
    total: found.total,
    notes: [...list.notes, ...found.notes(), ...written.notes],
    sheet: list.sheet.name,
    dry_run: dryRun
  }
})

/**
 * Imports the class list in a local file. It is read twice, in constant memory but for the keys by which repeated
 * students are known: the first reading judges every row and ends before anything is written, the second hands the good
 * rows to the sink. Running it again with the same file is safe if the sink knows the students that it has.
 *
 * Fails with `ImportRejected` for a file that no retry can help, `ImportUndecided` for one of which a person has to say how
 * it is meant, `ImportFileUnreadable` for the disk, and with what the sink fails with.
 */
export const importSpreadsheet = <E>(
  options: StudentImportOptions<E>
): Effect.Effect<StudentImportResult, E | ClassListFault> => Effect.scoped(run<E>(options))
