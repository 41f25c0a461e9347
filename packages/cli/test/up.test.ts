import { assert, describe, it } from "@effect/vitest"
import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { markerText } from "../src/demoDirectory.ts"
import { lectern, ownFolder, startLectern } from "./lecternProgram.ts"

describe("lectern up", { timeout: 150_000 }, () => {
  it("answers until it is told to stop, and lets nobody else have its port or its data", async () => {
    const data = await ownFolder()
    const system = startLectern(["up", "--port", "0", "--data", data])
    const url = /Lectern is up at (http:\S+)/.exec(await system.says("Ctrl-C ends it"))?.[1] ?? ""
    for (const path of ["/healthz", "/readyz", "/docs", "/api/v1/openapi.json"]) {
      const answer = await fetch(`${url}${path}`)
      await answer.arrayBuffer()
      assert.strictEqual(answer.status, 200, path)
    }

    const token = await lectern(["token", "--tenant", "1", "--data", data])
    const videos = await fetch(`${url}/api/v1/media/videos/`, { headers: { authorization: `Bearer ${token.stdout.trim()}` } })
    assert.deepInclude(await videos.json(), { count: 0, results: [] })

    const { port } = new URL(url)
    const samePort = await lectern(["up", "--port", port, "--data", await ownFolder()])
    assert.strictEqual(samePort.code, 69)
    assert.include(samePort.stderr, `127.0.0.1:${port}`)
    assert.include(samePort.stderr, "choose another port")

    const sameData = await lectern(["up", "--port", "0", "--data", data])
    assert.strictEqual(sameData.code, 69)
    assert.include(sameData.stderr, `process ${system.child.pid} is using it`)

    // As if a demo had made it: what runs there is not removed either.
    await writeFile(join(data, "demo"), markerText)
    const demo = await lectern(["demo", "--data", data])
    assert.strictEqual(demo.code, 69)
    assert.include(demo.stderr, `process ${system.child.pid} is using it`)
    assert.strictEqual((await fetch(`${url}/readyz`)).status, 200)

    system.child.kill("SIGINT")
    assert.strictEqual((await system.end).code, 130)
  })

  it("says at its start that no video can be encoded where ffmpeg is missing", async () => {
    const data = await ownFolder()
    const system = startLectern(["up", "--port", "0", "--data", data], { env: { PATH: data } })
    const said = await system.says("Ctrl-C ends it")
    assert.include(said, "ffmpeg and ffprobe not on PATH")
    system.child.kill("SIGTERM")
    assert.strictEqual((await system.end).code, 143)
  })
})
