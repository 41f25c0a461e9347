import { refusal } from "./refusal.ts"
import type { Source } from "./Source.ts"
import { subjectKey, subjectPath } from "./Subject.ts"
import { makeSubjectGroup, type SubjectGroup, type SubjectGroupOptions, type Watched } from "./SubjectGroup.ts"

/** What is watched at one time goes in one group, up to a hundred subjects; more in a second one beside it. */
export const makeProgressSource = (options: SubjectGroupOptions): Source => {
  const groups: Array<SubjectGroup> = []
  return {
    watch: (subject, sink) => {
      const key = subjectKey(subject)
      const path = subjectPath(subject)
      let group: SubjectGroup | undefined
      const watched: Watched = {
        subject,
        key,
        path: path ?? "",
        sink,
        dueAt: -Infinity,
        tag: null,
        isUnknown: false,
        unknown: 0,
        detailAt: -Infinity
      }
      return {
        resume: () => {
          if (group !== undefined) return
          if (path === null) return sink.failed(refusal(key, 400, { detail: "there is no such id" }))
          group = groups.find(({ hasRoom }) => hasRoom(watched))
          if (group === undefined) groups.push(group = makeSubjectGroup(options))
          group.join(watched)
        },
        pause: () => {
          group?.leave(watched)
          group = undefined
        }
      }
    }
  }
}
