import { jsonOf } from "./jsonOf.ts"
import * as pace from "./pollingPace.ts"
import { fieldsOf, numberOf, type ProgressSnapshot, readSnapshot } from "./ProgressSnapshot.ts"
import { isRefusal, refusal } from "./refusal.ts"
import { type Answer, makeServerCalls, type ServerCallsOptions, type StreamListener } from "./ServerCalls.ts"
import type { Sink } from "./Source.ts"
import type { Subject } from "./Subject.ts"
import { bodyKey, maxTrayChars, trayBodies, trayChars, trayPath } from "./Tray.ts"

export interface SubjectGroupOptions extends ServerCallsOptions {
  /** Where the progress endpoints are, without a slash at the end. */
  readonly baseUrl: string
  /** Where the details are. */
  readonly originUrl: string
  /** Whether events are tried. */
  readonly events: boolean
  /** 0 up to 1. */
  readonly random: () => number
}

/** Somebody's interest in a subject, and what is known of it. */
export interface Watched {
  readonly subject: Subject
  readonly key: string
  readonly path: string
  readonly sink: Sink
  /** When it may be asked for again; before its first time at once. */
  dueAt: number
  /** Of the last answer: what the server is told that is known. */
  tag: string | null
  isUnknown: boolean
  /** How often in a row nobody knew it. */
  unknown: number
  detailAt: number
}

/** Subjects that are asked for together, in one request or one stream. */
export interface SubjectGroup {
  readonly hasRoom: (watched: Watched) => boolean
  readonly join: (watched: Watched) => void
  readonly leave: (watched: Watched) => void
}

/**
 * Listens to the events of all its members, and asks the progress endpoint again and again while there are none; the
 * detail where that knows nothing (CONTRACT.md, sections 2 and 3).
 */
export const makeSubjectGroup = (options: SubjectGroupOptions): SubjectGroup => {
  const { baseUrl, clock, random } = options
  const call = makeServerCalls(options)
  const members = new Set<Watched>()
  let running: AbortController | null = null
  let cancel = (): void => undefined
  let taken = 0
  /** Until then it asks nothing: the server said so. */
  let restsUntil = -Infinity
  let eventsAt = options.events ? -Infinity : Infinity
  let eventsFailed = 0
  let startedAt = 0
  let movedAt = 0
  let polls = 0
  let failures = 0
  let nextPoll = Infinity

  const schedule = (): void => {
    const dueAt = Math.max(restsUntil, Math.min(...Array.from(members, (watched) => watched.dueAt)))
    cancel = clock.after(Math.max(dueAt - clock.now(), pace.gathering), () => void run())
  }

  const stop = (): void => {
    cancel()
    running?.abort()
    running = null
  }

  const run = async (): Promise<void> => {
    const own = running = new AbortController()
    const { signal } = own
    const asked = Array.from(members)
    const only = asked.length === 1 ? asked[0] : undefined

    const urlOf = (events: string): string =>
      baseUrl +
      (only === undefined ? trayPath(asked.map(({ subject }) => subject), events) : `${only.path}progress/${events}`)

    const postpone = (millis: number): void => {
      for (const watched of members) watched.dueAt = clock.now() + Math.max(millis, pace.fastest)
    }

    const show = (watched: Watched, snapshot: ProgressSnapshot): void => {
      if (members.has(watched) && watched.sink.progress(snapshot)) movedAt = clock.now()
    }

    /** Says whether that was an answer, be it that nothing is known. */
    const tell = (body: unknown, tag: string | null): boolean => {
      const watched = only ?? asked.find(({ key }) => key === bodyKey(body))
      const snapshot = watched === undefined ? null : readSnapshot(watched.subject, body)
      if (watched === undefined || snapshot === null) return false
      watched.tag = tag
      watched.isUnknown = snapshot.status === "UNKNOWN"
      if (!watched.isUnknown) show(watched, snapshot)
      return true
    }

    /**
     * The database's word. That it refuses a token which may watch is no word about the watch: a narrow one may do no
     * more.
     */
    const askDetail = async (watched: Watched): Promise<void> => {
      watched.detailAt = clock.now()
      const { body, status } = await call(options.originUrl + watched.path, null, signal)
      if (signal.aborted) {
        watched.detailAt = -Infinity
        return
      }
      const snapshot = readSnapshot(watched.subject, body)
      if (status === 200 && snapshot !== null) show(watched, snapshot)
      if (isRefusal(status)) {
        const error = refusal(watched.key, status, body)
        // By its code: an address without details, such as the edge's, answers 404 too.
        if (error.code?.endsWith("_not_found") === true) watched.sink.failed(error)
      }
    }

    /** Counts once more who is unknown; the third time the database is asked. */
    const countUnknown = async (isAway: boolean): Promise<void> => {
      const wanted = Array.from(members).filter((watched) => {
        watched.unknown = watched.isUnknown || isAway ? watched.unknown + 1 : 0
        return watched.unknown >= pace.unknownBeforeDetail && clock.now() - watched.detailAt >= pace.detailEvery
      })
      await Promise.all(wanted.map(askDetail))
    }

    /** A poll that failed, told to whoever wants to know. */
    const troubled = ({ cause, reason, retryAfter, status }: Answer): void => {
      failures += 1
      const retryInMillis = retryAfter === null
        ? pace.pauseAfterFailure(failures, random())
        : pace.pauseTold(retryAfter, random())
      if (retryAfter !== null) restsUntil = clock.now() + retryInMillis
      postpone(retryInMillis)
      for (const { sink } of members) sink.trouble({ reason, status, cause, retryInMillis })
    }

    const poll = async (): Promise<void> => {
      polls += 1
      const answer = await call(urlOf(""), only?.tag ?? null, signal)
      if (signal.aborted) return
      const { body, etag, retryAfter, status } = answer
      // A path that is not there is a server being replaced: the endpoint itself never answers so.
      if (isRefusal(status) && status !== 404) {
        for (const { key, sink } of Array.from(members)) sink.failed(refusal(key, status, body))
        return
      }
      if (status === 200) {
        const bodies = only === undefined ? trayBodies(body) : [body]
        const isTold = bodies.map((one) => tell(one, etag)).includes(true)
        if (!isTold) return troubled({ ...answer, cause: answer.cause ?? body })
        nextPoll = Math.min(...bodies.map((one) => numberOf(fieldsOf(one)["nextPollMs"]) ?? Infinity))
      } else if (status !== 304) return troubled(answer)
      failures = 0
      // Whoever was told may have begun another watch, which is asked for by another run.
      if (!signal.aborted) await countUnknown(false)
      if (signal.aborted) return
      const now = clock.now()
      const age = now - startedAt
      postpone(Math.max(
        nextPoll === Infinity ? pace.pauseAfterAnswer(age, now - movedAt) : pace.pauseAskedFor(nextPoll, age, polls),
        retryAfter ?? 0
      ))
    }

    /** Resolves when there are no events any more, and says whether there were any. */
    const listen = async (): Promise<boolean> => {
      const openedAt = clock.now()
      let heartbeat: number = pace.heartbeat
      let isOpen = false
      let isAway = false
      let cancelCount = (): void => undefined
      const count = (): void => {
        cancelCount = clock.after(pace.eventsRepeat, count)
        void countUnknown(isAway)
      }
      const listener: StreamListener = (events) => {
        for (const field of events) {
          if (!isOpen) count()
          isOpen = true
          const name = field("event")
          const id = field("id")
          const body = jsonOf(field("data") ?? "{}")
          isAway = name === "away" || (isAway && name !== "back")
          heartbeat = numberOf(fieldsOf(body)["heartbeatMs"]) ?? heartbeat
          tell(body, id === null ? null : `"${id}"`)
        }
        return heartbeat * pace.lostHeartbeats
      }
      const { retryAfter } = await call(urlOf("events/"), only?.tag ?? null, signal, listener)
      cancelCount()
      if (signal.aborted) return true
      const now = clock.now()
      eventsFailed = now - openedAt < pace.eventsSettled ? eventsFailed + 1 : 1
      eventsAt = now +
        Math.max(pace.pauseWithoutEvents(eventsFailed, random()), pace.pauseTold(retryAfter ?? 0, random()))
      // Whom one server dropped together shall not ask together.
      if (isOpen) postpone(pace.fastest * (1 + random()))
      return isOpen
    }

    if (asked.some(({ dueAt }) => dueAt === -Infinity)) {
      startedAt = movedAt = clock.now()
      polls = 0
    }
    // Whoever hides and shows a page asks no more often.
    postpone(0)
    const hadEvents = clock.now() >= eventsAt && await listen()
    if (!hadEvents) await poll()
    if (running === own) {
      running = null
      schedule()
    }
  }

  return {
    hasRoom: ({ path }) => members.size === 0 || taken + trayChars(path) <= maxTrayChars,
    join: (watched) => {
      members.add(watched)
      taken += trayChars(watched.path)
      stop()
      schedule()
    },
    leave: (watched) => {
      members.delete(watched)
      taken -= trayChars(watched.path)
      if (members.size === 0) stop()
    }
  }
}
