import type { ImportUndecided } from "./ImportUndecided.ts"

/**
 * What a job that waits for a decision answers with: the question and each reading with its preview. The same file, uploaded
 * again with the `id` of one of the `readings`, is read so. The previews hold cells of people: they stand in the record, and
 * in no copy of it.
 */
export const reviewResult = (undecided: ImportUndecided) => ({
  question: undecided.question,
  detail: undecided.messageKo,
  detail_en: undecided.messageEn,
  readings: undecided.readings.map((reading) => ({
    id: reading.id,
    ko: reading.ko,
    en: reading.en,
    importable: reading.importable,
    preview: reading.preview.map(({ cells, row }) => ({ row, cells: { ...cells } }))
  }))
})
