import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { lectern, ownFolder, startLectern } from "./lecternProgram.ts"

const decodeAccepted = Schema.decodeUnknownSync(Schema.Struct({ job_id: Schema.String }))
const decodeJob = Schema.decodeUnknownSync(
  Schema.Struct({ status: Schema.String, result: Schema.NullOr(Schema.Json), error_message: Schema.NullOr(Schema.String) })
)

describe("Messages of lectern up", { timeout: 150_000 }, () => {
  it("go into a sandbox that says so at the start, in the file and in the job, until somebody sends them", async () => {
    const data = await ownFolder()
    const system = startLectern(["up", "--port", "0", "--data", data], { env: { MESSAGE_QUIET_HOURS: "off" } })
    const said = await system.says("Ctrl-C ends it")
    const file = join(data, "sandbox-messages.txt")
    assert.include(said, `SANDBOX, nothing is sent: ${file}`)
    const url = /Lectern is up at (http:\S+)/.exec(said)?.[1] ?? ""
    const token = (await lectern(["token", "--tenant", "1", "--data", data])).stdout.trim()
    const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" }
    const accepted = await fetch(`${url}/api/v1/messaging/send/`, {
      method: "POST",
      headers,
      body: JSON.stringify({
        message_mode: "sms",
        raw_body: "#{이름} 학생은 내일 쉽니다",
        recipients: [{ phone: "010-1234-5678", name: "홍길동" }]
      })
    })
    assert.strictEqual(accepted.status, 202)
    const { job_id } = decodeAccepted(await accepted.json())
    const jobNow = async () => decodeJob(await (await fetch(`${url}/api/v1/jobs/${job_id}/`, { headers })).json())
    let job = await jobNow()
    while (job.status !== "DONE") {
      assert.include(["PENDING", "RUNNING"], job.status)
      job = await jobNow()
    }
    assert.strictEqual(job.error_message, "[샌드박스] 실제로 보내지 않았습니다")
    assert.deepStrictEqual(job.result, { total: 1, sent: 1, failed: 0, ambiguous: 0, sandbox: true })
    const text = await readFile(file, "utf8")
    assert.include(text, "받는 사람: 01012345678")
    assert.include(text, "[샌드박스] 홍길동 학생은 내일 쉽니다")
    system.child.kill("SIGTERM")
    assert.strictEqual((await system.end).code, 143)
  })

  it("are not to be had in production without somebody who sends them", async () => {
    const refused = await lectern(["up", "--port", "0", "--data", await ownFolder()], { env: { LECTERN_ENV: "production" } })
    assert.strictEqual(refused.code, 78)
    assert.include(refused.stderr, "SOLAPI_API_KEY")
  })
})
