import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import {
  allowance,
  carrierBytes,
  composeMessages,
  defaultQuietHours,
  emptyMessageQuota,
  estimatedWon,
  fillTemplate,
  leftToday,
  maskedAddress,
  messageAddress,
  messageAfter,
  type MessageEvent,
  MessageState,
  messageTransitions,
  nextSeoulDay,
  openStates,
  parseMessagePrices,
  parseQuietHours,
  placeholdersOf,
  quietUntil,
  seoulDay,
  spend,
  textFault
} from "../src/index.ts"

/** A moment of 2026-11-23 in Seoul. */
const seoul = (hours: number, minutes = 0): number => Date.UTC(2026, 10, 23, hours - 9, minutes)
const hour = 3_600_000

describe("A message's address", () => {
  const spellings = [
    "010-1234-5678",
    "01012345678",
    " 010 1234 5678",
    "+82 10-1234-5678",
    "+82 (0)10 1234 5678",
    "８２1012345678",
    "010.1234.5678"
  ]
  for (const text of spellings) {
    it(`has one spelling for "${text}"`, () => assert.strictEqual(messageAddress("phone", text), "01012345678"))
  }
  for (const text of ["", "02-123-4567", "010-1234-567", "010-1234-56789", "0101234567a", "+1 010 1234 5678", "1588-0000"]) {
    it(`is not "${text}"`, () => assert.isNull(messageAddress("phone", text)))
  }
  it("takes the numbers behind which people keep theirs", () =>
    assert.strictEqual(messageAddress("phone", "0504-1234-5678"), "050412345678"))
  it("is a mailbox whose domain is spelt in one way", () => {
    assert.strictEqual(messageAddress("email", " Kim.A@Example.COM "), "Kim.A@example.com")
    for (const text of ["a@b", "a b@example.com", "@example.com", "a@example..", "a@-example.com"]) {
      assert.isNull(messageAddress("email", text), text)
    }
  })
  it("is shown so that nobody can write to it", () => {
    assert.strictEqual(maskedAddress("01012345678"), "010-****-5678")
    assert.strictEqual(maskedAddress("kim@example.com"), "k***@example.com")
  })
})

describe("A message's text", () => {
  it("is filled once: what looks like a placeholder in a value stays", () => {
    const filled = fillTemplate("#{이름} 님, #{ 날짜 } #{이름}", { 이름: "#{날짜}", 날짜: "내일" })
    assert.deepStrictEqual(filled, Result.succeed("#{날짜} 님, 내일 #{날짜}"))
    assert.deepStrictEqual(placeholdersOf("#{b} #{a} #{b}"), ["b", "a"])
  })
  it("is not made with a hole: a value that is missing or empty is named", () => {
    for (const values of [{}, { 이름: "" }, { toString: "x" }]) {
      assert.deepStrictEqual(fillTemplate("#{이름}", values), Result.fail({ placeholder: "이름" }))
    }
    assert.deepStrictEqual(fillTemplate("#{toString}", {}), Result.fail({ placeholder: "toString" }))
  })
  it("is counted as carriers count: two bytes for what is not ASCII", () => {
    assert.strictEqual(carrierBytes("가a\n뷁 "), 7)
  })
  it("fits its mode up to the last byte", () => {
    assert.isNull(textFault("sms", "가".repeat(45)))
    assert.deepStrictEqual(textFault("sms", "가".repeat(45) + "a"), { _tag: "TooLong", length: 91, most: 90, unit: "bytes" })
    assert.isNull(textFault("lms", "가".repeat(1_000)))
    assert.isNotNull(textFault("lms", "가".repeat(1_001)))
    assert.isNull(textFault("alimtalk", "가".repeat(1_000)))
    assert.isNotNull(textFault("alimtalk", "가".repeat(1_001)))
  })
  it("has nothing in it that a carrier cannot carry, where a carrier carries it", () => {
    for (const character of ["🎉", "\u0000", "\u200b", "\ufffd"]) {
      assert.deepStrictEqual(textFault("sms", `가${character}`), { _tag: "UnsendableCharacter", character })
      assert.isNull(textFault("email", `가${character}`))
    }
    assert.deepStrictEqual(textFault("sms", " \n"), { _tag: "Empty" })
    assert.isNull(textFault("sms", "줄\n바꿈\t①②㉠·ㅋㅋ"))
  })
})

describe("A mailing", () => {
  const draft = { mode: "sms", template: "#{이름} #{반}", subject: null, templateId: null, values: { 반: "1반" } } as const
  it("has each recipient once, with the recipient's own values before everybody's", () => {
    const composed = composeMessages(draft, [
      { address: "010-1111-2222", values: { 이름: "가" } },
      { address: "+82 10 1111 2222", values: { 이름: "둘째" } },
      { address: "010-3333-4444", values: { 이름: "나", 반: "2반" } }
    ])
    assert.deepStrictEqual(composed, Result.succeed({
      messages: [{ address: "01011112222", text: "가 1반" }, { address: "01033334444", text: "나 2반" }],
      duplicates: 1
    }))
  })
  it("is refused as a whole for the first recipient whom it cannot serve", () => {
    const good = { address: "010-1111-2222", values: { 이름: "가" } }
    const faults = [
      [{ address: "02-1", values: { 이름: "가" } }, "NoSuchAddress"],
      [{ address: "010-5555-6666", values: {} }, "MissingValue"],
      [{ address: "010-5555-6666", values: { 이름: "가".repeat(50) } }, "BadText"]
    ] as const
    for (const [bad, tag] of faults) {
      const refused = composeMessages(draft, [good, bad])
      assert.deepInclude(Result.isFailure(refused) ? refused.failure : null, { _tag: tag, recipient: 2 })
    }
    assert.deepStrictEqual(composeMessages({ ...draft, mode: "alimtalk" }, [good]), Result.fail({ _tag: "NoTemplateId" }))
    const long = composeMessages({ ...draft, mode: "lms", subject: "가".repeat(21) }, [good])
    assert.deepStrictEqual(long, Result.fail({ _tag: "SubjectTooLong", length: 42, most: 40 }))
  })
})

describe("What messages cost", () => {
  it("is read from an agreement, in won with tenths, and refused where it is none", () => {
    assert.deepStrictEqual(parseMessagePrices("sms=18, lms=45,alimtalk=8.4"), { sms: 180, lms: 450, alimtalk: 84 })
    for (const text of ["", "sms", "fax=1", "sms=1,sms=2", "sms=-1", "sms=1.25"]) assert.isNull(parseMessagePrices(text), text)
  })
  it("is estimated in whole won, rounded up, or not at all", () => {
    assert.strictEqual(estimatedWon({ sms: 84 }, "sms", 3), 26)
    assert.isNull(estimatedWon({ sms: 84 }, "lms", 3))
  })
})

describe("The quiet hours", () => {
  it("go over midnight and end in the morning", () => {
    assert.isNull(quietUntil(defaultQuietHours, seoul(20, 59)))
    assert.strictEqual(quietUntil(defaultQuietHours, seoul(21)), seoul(8) + 24 * hour)
    assert.strictEqual(quietUntil(defaultQuietHours, seoul(0)), seoul(8))
    assert.strictEqual(quietUntil(defaultQuietHours, seoul(7, 59)), seoul(8))
    assert.isNull(quietUntil(defaultQuietHours, seoul(8)))
  })
  it("may be within a day", () => {
    const lunch = { from: 12 * 60, to: 13 * 60 + 30 }
    assert.deepStrictEqual(parseQuietHours("12:00-13:30"), lunch)
    assert.strictEqual(quietUntil(lunch, seoul(12, 10)), seoul(13, 30))
    assert.isNull(quietUntil(lunch, seoul(13, 30)))
  })
  it("are two times of a day", () => {
    for (const text of ["", "21-8", "24:00-08:00", "21:00-21:00", "21:00"]) assert.isNull(parseQuietHours(text), text)
  })
})

describe("What a tenant may send", () => {
  const limits = { perMinute: 10, perDay: 25 }
  it("is bounded in the minute, and free again in the next", () => {
    const quota = spend(emptyMessageQuota, 10, seoul(12))
    assert.deepStrictEqual(allowance(quota, limits, seoul(12)), { _tag: "Wait", until: seoul(12, 1) })
    assert.deepStrictEqual(allowance(quota, limits, seoul(12, 1)), { _tag: "Now", messages: 10 })
  })
  it("is bounded in Seoul's day, and free again after its midnight", () => {
    const quota = spend(spend(emptyMessageQuota, 20, seoul(9)), 5, seoul(23, 59))
    assert.deepStrictEqual(allowance(quota, limits, seoul(23, 59)), { _tag: "Wait", until: seoul(24) })
    assert.deepStrictEqual(allowance(quota, limits, seoul(24)), { _tag: "Now", messages: 10 })
    assert.strictEqual(nextSeoulDay(seoul(0)), seoul(24))
    assert.strictEqual(seoulDay(seoul(23, 59)), seoulDay(seoul(0)))
  })
  it("counts what waits already against the day", () => {
    assert.strictEqual(leftToday(spend(emptyMessageQuota, 5, seoul(9)), limits, 8, seoul(10)), 12)
    assert.strictEqual(leftToday(spend(emptyMessageQuota, 5, seoul(9)), limits, 99, seoul(10)), 0)
  })
})

describe("A message's states", () => {
  const events: ReadonlyArray<MessageEvent> = ["begin", "confirm", "refuse", "withdraw", "doubt"]
  it("never lead from sent to anywhere, and to sending from pending alone", () => {
    for (const event of events) {
      assert.isNull(messageAfter("sent", event))
      for (const state of MessageState.literals) {
        if (messageAfter(state, event) === "sending") assert.strictEqual(state, "pending")
      }
    }
  })
  it("lead back to pending only by the proof that nothing went out", () => {
    const back = events.filter((event) => messageTransitions[event].to === "pending")
    assert.deepStrictEqual(back, ["withdraw"])
    assert.isNull(messageAfter("failed", "withdraw"))
  })
  it("leave to people what is in doubt, and what an ended job left unsettled", () => {
    assert.deepStrictEqual(openStates("RUNNING"), ["ambiguous"])
    assert.deepStrictEqual(openStates("FAILED"), ["ambiguous", "sending"])
  })
})
