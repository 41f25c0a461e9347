import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { isTerminal, type Lease, leaseFault } from "../Job.ts"
import { JobStore } from "../JobStore.ts"
import { ImportNotUndoable, type InsertedStudents, type NewStudent, StudentStore } from "../Student.ts"

const nameOf = (lease: Lease, student: NewStudent): string =>
  [lease.tenantId, student.name, student.guardianPhone].join("\n")

/** Students in memory, under the leases of the job store beside it. Nothing changes them there but imports. */
export const layer: Layer.Layer<StudentStore, never, JobStore> = Layer.effect(
  StudentStore,
  Effect.gen(function*() {
    const jobs = yield* JobStore
    /** The job and the row that each student came from. */
    const origins = new Map<string, { readonly tenantId: number; readonly jobId: string; readonly row: number }>()

    const sort = (lease: Lease, students: ReadonlyArray<NewStudent>, write: boolean): InsertedStudents => {
      const created: Array<number> = []
      const duplicates: Array<number> = []
      const seen = write ? origins : new Map(origins)
      for (const student of students) {
        const name = nameOf(lease, student)
        const origin = seen.get(name)
        if (origin === undefined) seen.set(name, { tenantId: lease.tenantId, jobId: lease.jobId, row: student.row })
        const ours = origin === undefined || (origin.jobId === lease.jobId && origin.row === student.row)
        ;(ours ? created : duplicates).push(student.row)
      }
      return { created, duplicates }
    }

    return StudentStore.of({
      insertBatch: (lease, students) =>
        Effect.flatMap(jobs.getJob(lease.tenantId, lease.jobId), ({ job }) => {
          const fault = leaseFault(job, lease)
          return fault === null ? Effect.sync(() => sort(lease, students, true)) : Effect.fail(fault)
        }),
      findExisting: (lease, students) => Effect.sync(() => sort(lease, students, false)),
      undoImport: (tenantId, jobId) =>
        Effect.flatMap(jobs.getJob(tenantId, jobId), ({ job }) =>
          job.kind === "student_import" && isTerminal(job.status)
            ? Effect.sync(() => {
              const ours = [...origins].filter(([, origin]) => origin.jobId === jobId && origin.tenantId === tenantId)
              for (const [name] of ours) origins.delete(name)
              return { removed: ours.map(([, { row }]) => row).sort((a, b) => a - b), changed: [] }
            })
            : Effect.fail(new ImportNotUndoable({ jobId, kind: job.kind, status: job.status })))
    })
  })
)
