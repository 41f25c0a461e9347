/**
 * How often is asked. Every number of the client stands here, with its reason; times are milliseconds.
 *
 * A poll costs the server one round trip to Redis, and a page may stand open for hours. At one a second a job of ten
 * minutes costs 600 polls; here it costs 140 at the most, however it moves, and what is shown is never older than a
 * person would notice. With events it costs one request.
 */

/** The old poller's interval, and the most that a bar gains from: the server has one sample a second. */
export const fastest = 1_000

/**
 * While it moves the interval is a twentieth of the time that it has been watched: 5 % later than it could be known.
 * So a short job is seen at once and a long one asked seldom: 20 polls in the first 20 s, 36 in the next 100 s.
 */
const ageShare = 1 / 20

/** Up to this, so that a long job's bar still moves visibly: 80 more polls up to the tenth minute, 136 in all. */
const slowestMoving = 6_000

/** While it stands still, a quarter of the time that it has stood: a wait becomes at most a quarter longer. */
const stillShare = 1 / 4

/** Up to this, so that a job that waits in a queue is seen to start. */
const slowestStill = 15_000

/** The first pause after a failure; it doubles with each in a row, and a random half of it is taken off. */
const backOff = 1_000

/** Up to this, so that a server that is back is found within half a minute, and a thousand tabs find it evenly. */
const slowestBackOff = 30_000

/** The edge answers within 300 ms; this is for the network between. */
export const requestTimeout = 10_000

/** The most that is added to a `Retry-After`, as a part of it: who waits together shall not return together. */
const retryAfterJitter = 1 / 4

/** The longest pause that a server is granted; a timer overflows at 24 days, and a page should not seem dead before. */
const longestObeyed = 3_600_000

/** UNKNOWN this often in a row, and the database is asked: once may be a flush of Redis, which mends itself. */
export const unknownBeforeDetail = 3

/** The detail is a read of the database, which polls are to spare. */
export const detailEvery = 60_000

/**
 * So long the tab that saw the end keeps the others from polling: until they have its message, which takes a few ms.
 */
export const endHeld = 250

/**
 * What begins within this goes out together. A page's components and the locks of its subjects come within a few ms,
 * and nobody sees so short a wait.
 */
export const gathering = 20

/**
 * A stream says something as soon as it is open. One that says nothing for so long is behind a proxy that keeps it, and
 * its page polls.
 */
export const eventsOpening = 3_000

/** What a stream's heartbeat takes while the server has not said it. */
export const heartbeat = 15_000

/** A stream that was silent for so many heartbeats is broken: one may be late. */
export const lostHeartbeats = 2.5

/** A stream does not repeat itself: what it says is unknown counts as unknown again after this, as in polling. */
export const eventsRepeat = 3_000

/** The first pause before events are tried again; it doubles, too. Eight tries in the ten minutes of a job. */
const eventsBackOff = 5_000

/** Up to this: a page that stands open for hours finds events again after the proxy before them was mended. */
const slowestEventsBackOff = 300_000

/** A stream that held so long was a good one: its end begins the doubling anew. */
export const eventsSettled = 30_000

/** The shortest pause of the client's own, from how long it has been watched. */
const pauseByAge = (age: number): number => Math.max(fastest, Math.min(age * ageShare, slowestMoving))

/** The pause before the next poll, from how long it has been watched and how long nothing has moved. */
export const pauseAfterAnswer = (age: number, still: number): number =>
  Math.min(Math.max(pauseByAge(age), still * stillShare), slowestStill)

/** How many polls may have been made as often as the server asks for them. */
const pollsGranted = (age: number): number => 20 + age / slowestMoving

/**
 * The pause before the next poll where the server asks for one. It may be shorter than the client's own, as near the
 * end, until so many polls were made as a long job is granted: an estimate that is wrong for ten minutes costs no more.
 */
export const pauseAskedFor = (asked: number, age: number, polls: number): number =>
  obeyed(polls <= pollsGranted(age) ? asked : Math.max(asked, pauseByAge(age)))

const doubling = (first: number, longest: number, failures: number, random: number): number =>
  Math.min(first * 2 ** (failures - 1), longest) * (1 - random / 2)

/** The pause after so many failures in a row, from 1; `random` is 0 up to 1. */
export const pauseAfterFailure = (failures: number, random: number): number =>
  doubling(backOff, slowestBackOff, failures, random)

/** The pause before events are tried again after they failed so often in a row, from 1; `random` is 0 up to 1. */
export const pauseWithoutEvents = (failures: number, random: number): number =>
  doubling(eventsBackOff, slowestEventsBackOff, failures, random)

/** A pause that the server told those to make whom it refused; `random` is 0 up to 1. */
export const pauseTold = (retryAfter: number, random: number): number => retryAfter * (1 + random * retryAfterJitter)

/** A pause that the server asked for, within what it is granted. */
export const obeyed = (millis: number): number => Math.min(Math.max(millis, 0), longestObeyed)
