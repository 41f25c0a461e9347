import type { StoredProgress, Subject } from "@lectern/domain"
import type { Principal } from "../tokens/index.ts"
import { jobBody } from "./jobBody.ts"
import type { ProgressBody } from "./ProgressBody.ts"
import type { SharedRead } from "./SharedReader.ts"
import { videoBody } from "./videoBody.ts"

const bodyOf = (subject: Subject, stored: StoredProgress | null): ProgressBody =>
  subject._tag === "Video" ? videoBody(subject.id, stored) : jobBody(subject.id, stored)

const nothingStored: StoredProgress = { status: null, progress: null }

/** Whether it may be read. What may not be looks as what does not exist. */
export const maySee = ({ watch }: Principal, subject: Subject): boolean =>
  watch === undefined || (watch._tag === subject._tag && watch.id === subject.id)

/**
 * What is read when somebody asks for a subject. A token that watches one reads that one whatever it asks for, so that
 * neither the answer nor the time that it takes tells whether anything else exists.
 */
export const readFor = ({ watch }: Principal, subject: Subject): Subject => watch ?? subject

/** The body for a subject from what was read for it. */
export const shownBody = (isSeen: boolean, subject: Subject, found: SharedRead): ProgressBody =>
  found._tag === "Unreadable"
    ? bodyOf(subject, null)
    : isSeen
    ? found.body ??= bodyOf(subject, found.stored)
    : bodyOf(subject, nothingStored)
