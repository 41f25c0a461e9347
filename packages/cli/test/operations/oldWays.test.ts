import { assert, it } from "@effect/vitest"
import { oldWayAsked, oldWays } from "../../src/operations/oldWays.ts"

it("Every old name is answered with \"Batch only\" and where to look", () => {
  for (const { kind, name } of oldWays) {
    const asked = kind === "variable" ? oldWayAsked(["up"], { [name]: "x" }) : oldWayAsked([name], {})
    assert.match(asked ?? "", /^Batch only: .*\n {2}where to look: VIDEO_BATCH_JOB_QUEUE/)
  }
})

it("What is asked for by today's names, or by an empty variable, is no old way", () => {
  assert.isNull(oldWayAsked(["worker", "--videos"], { VIDEO_SQS_QUEUE_URL: "", SQS_QUEUE_URL_BASIC: "http://q" }))
})
