/**
 * How often is asked. Every number of the client stands here, with its reason; times are milliseconds.
 *
 * A poll costs the server one round trip to Redis, and a page may stand open for hours. At one a second a job of ten
 * minutes costs 600 polls; here it costs 140 at the most, however it moves, and what is shown is never older than a
 * person would notice.
 */
export const pace = {
  /** The old poller's interval, and the most that a bar gains from: the server has one sample a second. */
  fastest: 1_000,
  /**
   * While it moves the interval is a twentieth of the time that it has been watched: 5 % later than it could be known.
   * So a short job is seen at once and a long one asked seldom: 20 polls in the first 20 s, 36 in the next 100 s.
   */
  ageShare: 1 / 20,
  /** Up to this, so that a long job's bar still moves visibly: 80 more polls up to the tenth minute, 136 in all. */
  slowestMoving: 6_000,
  /** While it stands still, a quarter of the time that it has stood: a wait becomes at most a quarter longer. */
  stillShare: 1 / 4,
  /** Up to this, so that a job that waits in a queue is seen to start. */
  slowestStill: 15_000,
  /** The first pause after a failure; it doubles with each in a row, and a random half of it is taken off. */
  backOff: 1_000,
  /** Up to this, so that a server that is back is found within half a minute, and a thousand tabs find it evenly. */
  slowestBackOff: 30_000,
  /** The edge answers within 300 ms; this is for the network between. */
  requestTimeout: 10_000,
  /**
   * The most that is added to a `Retry-After`, as a part of it: who was told to wait together shall not return
   * together.
   */
  retryAfterJitter: 1 / 4,
  /**
   * The longest pause that a server is granted; a timer overflows at 24 days, and a page should not seem dead before.
   */
  longestObeyed: 3_600_000,
  /** UNKNOWN this often in a row, and the database is asked: once may be a flush of Redis, which mends itself. */
  unknownBeforeDetail: 3,
  /** The detail is a read of the database, which polls are to spare. */
  detailEvery: 60_000,
  /**
   * So long the tab that saw the end keeps the others from polling: until they have its message, which takes a few ms.
   */
  endHeld: 250
} as const

/** The shortest pause of the client's own, from how long it has been watched. */
const pauseByAge = (age: number): number => Math.max(pace.fastest, Math.min(age * pace.ageShare, pace.slowestMoving))

/** The pause before the next poll, from how long it has been watched and how long nothing has moved. */
export const pauseAfterAnswer = (age: number, still: number): number =>
  Math.min(Math.max(pauseByAge(age), still * pace.stillShare), pace.slowestStill)

/** Ages at which the interval begins to grow, and at which it has grown up. */
const growsFrom = pace.fastest / pace.ageShare
const growsTo = pace.slowestMoving / pace.ageShare

/** How many polls the shortest pauses come to: the sum of 1 / pauseByAge over the age. */
const pollsByAge = (age: number): number =>
  Math.min(age, growsFrom) / pace.fastest +
  Math.log(Math.min(Math.max(age, growsFrom), growsTo) / growsFrom) / pace.ageShare +
  Math.max(age - growsTo, 0) / pace.slowestMoving

/**
 * The pause before the next poll where the server asks for one. It may be shorter than the client's own, as near the
 * end, as long as all in all no more polls were made than at the client's own pace: an estimate that is wrong for ten
 * minutes costs no more.
 */
export const pauseAskedFor = (asked: number, age: number, polls: number): number =>
  obeyed(polls <= pollsByAge(age) ? asked : Math.max(asked, pauseByAge(age)))

/** The pause after so many failures in a row, from 1; `random` is 0 up to 1. */
export const pauseAfterFailure = (failures: number, random: number): number =>
  Math.min(pace.backOff * 2 ** (failures - 1), pace.slowestBackOff) * (1 - random / 2)

/** A pause that the server asked for, within what it is granted. */
export const obeyed = (millis: number): number => Math.min(Math.max(millis, 0), pace.longestObeyed)
