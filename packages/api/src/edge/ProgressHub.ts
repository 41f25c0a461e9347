import type { Subject, TenantId } from "@lectern/domain"
import type { Principal } from "../tokens/index.ts"
import type { EventSink, OpenEvents } from "./EventSink.ts"
import { defaultListenerLimits, type ListenerLimits, makeListenerSeats, type NoSeat } from "./ListenerSeats.ts"
import type { SharedRead } from "./SharedReader.ts"
import { maySee, readFor, shownBody } from "./shownBody.ts"

/** News of what changed in the mirror, for the whole process. */
export interface ProgressChanges {
  /** Starts it. Nothing throws; a subscription that breaks comes back by itself. */
  readonly listen: (listener: ChangeListener) => void
  readonly close: () => void
}

export interface ChangeListener {
  /** `tenant:{t}:video:{v}` or `tenant:{t}:job:{j}`, of any tenant. */
  readonly changed: (key: string) => void
  /** Whether news come at all: what changed while they did not is not told afterwards. */
  readonly connected: (isConnected: boolean) => void
}

export interface ProgressHubOptions {
  /** Never rejects; bounded in time. Not shared with others: a read that began before a change would answer for it. */
  readonly read: (tenantId: TenantId, subject: Subject) => Promise<SharedRead>
  /** Without it subjects are read again and again. */
  readonly changes?: ProgressChanges | undefined
  /** {@link defaultListenerLimits} where nothing is said. */
  readonly limits?: Partial<ListenerLimits> | undefined
  /** Milliseconds since 1970; the machine's clock by default. */
  readonly now?: () => number
  /** Runs a task every so many milliseconds until what it returns is called; the runtime's timer by default. */
  readonly every?: (millis: number, task: () => void) => () => void
}

/** Who wants to hear of what. */
export interface ListenRequest {
  readonly principal: Principal
  /** Tells the tokens of a tenant apart. */
  readonly token: string
  readonly subjects: ReadonlyArray<Subject>
  /** Counts for a single subject alone. */
  readonly lastEventId: string | null
}

export interface ProgressHub {
  /** A stream for somebody, or why there is none. */
  readonly open: (request: ListenRequest) => OpenEvents | NoSeat
  readonly listeners: () => number
  /** Ends all streams, and tells them that it is the process that ends. */
  readonly close: () => void
}

/** Seconds between two signs of life of a quiet stream. */
export const heartbeatSeconds = 15

/** Seconds between two reads of everything while no news come. */
export const pollSeconds = 2

/** Bytes that may wait for a listener who does not read, and as many more for each subject as its event may have. */
const maxPendingBytes = 32_768
const maxEventBytes = 16_384

/** An event as it is written, shared by all its listeners. */
interface Frame {
  readonly body: string
  readonly tag: string | null
  readonly isEnd: boolean
  readonly text: string
}

/** What is read once, however many listen to it. */
interface Topic {
  readonly key: string
  readonly tenantId: TenantId
  readonly subject: Subject
  readonly places: Set<Place>
  frame: Frame | null
  found: SharedRead | null
  isReading: boolean
  /** It changed while it was being read: what comes may be older. */
  isDirty: boolean
}

/** A subject in the stream of a listener. */
interface Place {
  readonly listener: Listener
  readonly topic: Topic
  readonly subject: Subject
  readonly isSeen: boolean
  sent: string | null
  isEnded: boolean
}

interface Listener {
  readonly sink: EventSink
  readonly expiresAt: number
  readonly beat: Set<Listener>
  readonly resumed: string | null
  /** Gives its seat back. */
  readonly release: () => void
  places: ReadonlyArray<Place>
  isAway: boolean
}

const keyOf = (tenantId: TenantId, subject: Subject): string =>
  `tenant:${tenantId}:${subject._tag === "Video" ? "video" : "job"}:${subject.id}`

const frameOf = (isSeen: boolean, subject: Subject, found: SharedRead): Frame => {
  const { nextPollMillis, tag, text: body } = shownBody(isSeen, subject, found)
  return {
    body,
    tag,
    isEnd: nextPollMillis === null,
    text: `${tag === null ? "" : `id: ${tag}\n`}event: progress\ndata: ${body}\n\n`
  }
}

/** A browser's own source comes back after so long; a client that counts heartbeats knows a stream that is none by them. */
const opening = `retry: 3000\nevent: hello\ndata: {"heartbeatMs":${heartbeatSeconds * 1_000}}\n\n`
const heartbeat = ":\n\n"
const away = "event: away\ndata: {}\n\n"
const back = "event: back\ndata: {}\n\n"
const end = "event: end\ndata: {}\n\n"
const expired = "event: expired\ndata: {}\n\n"
const closing = "event: closing\ndata: {}\n\n"

const timerEvery = (millis: number, task: () => void): () => void => {
  const timer = setInterval(task, millis)
  return () => clearInterval(timer)
}

/**
 * Streams of server-sent events: `progress` with the body that a poll would have got, at once and whenever it changes; `end`
 * after the last that there can be; `away` when the mirror cannot be read and `back` when it can again; `expired` where the token
 * ends, `closing` where the process does. The `id` of an event is the tag of its body.
 *
 * A change is read once for all who listen to its subject. Everything is read again with the heartbeats, for news that were
 * lost, and every two seconds while there are none, as is what could not be read: a listener is never worse off than one who polls.
 */
export const makeProgressHub = (options: ProgressHubOptions): ProgressHub => {
  const { changes, read } = options
  const seats = makeListenerSeats({ ...defaultListenerLimits, ...options.limits })
  const now = options.now ?? Date.now
  const every = options.every ?? timerEvery
  const topics = new Map<string, Topic>()
  /** Who is due in the same second of a heartbeat: all at once would make every other answer wait. */
  const beats = Array.from({ length: heartbeatSeconds }, () => new Set<Listener>())
  let second = 0
  let hasNews = false
  let stopTimer: (() => void) | undefined

  const leave = (listener: Listener): void => {
    if (!listener.beat.delete(listener)) return
    listener.release()
    for (const place of listener.places) {
      const { key, places } = place.topic
      places.delete(place)
      if (places.size === 0) topics.delete(key)
    }
    if (seats.taken() === 0) {
      stopTimer?.()
      stopTimer = undefined
    }
  }

  const finish = (listener: Listener, text: string): void => {
    leave(listener)
    listener.sink.write(text)
    listener.sink.end()
  }

  /** Says whether the listener is still there. */
  const write = (listener: Listener, text: string): boolean => {
    if (!listener.beat.has(listener)) return false
    if (listener.sink.write(text) <= maxPendingBytes + maxEventBytes * listener.places.length) return true
    leave(listener)
    listener.sink.cut()
    return false
  }

  const deliver = (place: Place, frame: Frame): void => {
    const { listener } = place
    if (place.sent === frame.body) return
    const isResumed = place.sent === null && frame.tag !== null && listener.resumed === frame.tag
    place.sent = frame.body
    place.isEnded = frame.isEnd
    if (!isResumed && !write(listener, frame.text)) return
    if (frame.isEnd && listener.places.every(({ isEnded }) => isEnded)) finish(listener, end)
  }

  const show = (place: Place, found: SharedRead): void => {
    const { isSeen, listener, subject, topic } = place
    const isAway = found._tag === "Unreadable"
    if (isAway !== listener.isAway) {
      listener.isAway = isAway
      if (!write(listener, isAway ? away : back)) return
    }
    // What is known does not become unknown because nobody can look.
    if (isAway && place.sent !== null) return
    const isShared = isSeen && topic.frame !== null && topic.found === found
    deliver(place, isShared && topic.frame !== null ? topic.frame : frameOf(isSeen, subject, found))
  }

  const refresh = async (topic: Topic): Promise<void> => {
    if (topic.isReading) {
      topic.isDirty = true
      return
    }
    topic.isReading = true
    do {
      topic.isDirty = false
      const found = await read(topic.tenantId, topic.subject)
      topic.found = found
      const frame = frameOf(true, topic.subject, found)
      // The text that listeners hold is one and the same as long as it says the same.
      if (topic.frame?.body !== frame.body) topic.frame = frame
      for (const place of topic.places) show(place, found)
    } while (topic.isDirty && topic.places.size > 0)
    topic.isReading = false
  }

  const refreshAll = (): void => {
    for (const topic of topics.values()) void refresh(topic)
  }

  const refreshUnread = (): void => {
    for (const topic of topics.values()) if (topic.found?._tag === "Unreadable") void refresh(topic)
  }

  const tick = (): void => {
    second = (second + 1) % (heartbeatSeconds * pollSeconds)
    const at = now()
    for (const listener of beats[second % heartbeatSeconds] ?? []) {
      if (listener.expiresAt <= at) finish(listener, expired)
      else write(listener, heartbeat)
    }
    if (second % (hasNews ? heartbeatSeconds : pollSeconds) === 0) refreshAll()
    else if (second % pollSeconds === 0) refreshUnread()
  }

  let isListening = false
  const start = (): void => {
    stopTimer ??= every(1_000, tick)
    if (isListening) return
    isListening = true
    changes?.listen({
      changed: (key) => {
        const topic = topics.get(key)
        if (topic !== undefined) void refresh(topic)
      },
      connected: (isConnected) => {
        hasNews = isConnected
        // What changed before the subscription stood, nobody told.
        if (isConnected) refreshAll()
      }
    })
  }

  const topicOf = (tenantId: TenantId, subject: Subject): Topic => {
    const key = keyOf(tenantId, subject)
    const shared = topics.get(key)
    if (shared !== undefined) return shared
    const topic: Topic = {
      key,
      tenantId,
      subject,
      places: new Set(),
      frame: null,
      found: null,
      isReading: false,
      isDirty: false
    }
    topics.set(key, topic)
    return topic
  }

  const enter = ({ lastEventId, principal, subjects, token }: ListenRequest, sink: EventSink): Listener | null => {
    if (subjects.length === 0) {
      sink.write(end)
      sink.end()
      return null
    }
    const beat = beats[seats.taken() % heartbeatSeconds] ?? new Set<Listener>()
    const listener: Listener = {
      sink,
      beat,
      expiresAt: principal.expiresAt * 1_000,
      resumed: subjects.length === 1 ? lastEventId : null,
      release: seats.take(principal.tenantId, token),
      places: [],
      isAway: false
    }
    listener.places = subjects.map((subject) => {
      const topic = topicOf(principal.tenantId, readFor(principal, subject))
      const place = { listener, topic, subject, isSeen: maySee(principal, subject), sent: null, isEnded: false }
      topic.places.add(place)
      return place
    })
    beat.add(listener)
    start()
    write(listener, opening)
    for (const topic of new Set(listener.places.map((place) => place.topic))) void refresh(topic)
    return listener
  }

  return {
    open: (request) =>
      seats.refusal(request.principal.tenantId, request.token) ?? ((sink) => {
        const listener = enter(request, sink)
        return () => {
          if (listener !== null) leave(listener)
        }
      }),
    listeners: seats.taken,
    close: () => {
      changes?.close()
      for (const listener of beats.flatMap((beat) => [...beat])) finish(listener, closing)
    }
  }
}
