import { assert, describe, it } from "@effect/vitest"
import { mkdir, readdir, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { lectern, ownFolder } from "./lecternProgram.ts"

describe("lectern demo", () => {
  it("shows the whole way, a second time as well as the first", { timeout: 170_000 }, async () => {
    const data = join(await ownFolder(), "demo")
    for (const run of ["first", "second"]) {
      const { code, stderr, stdout } = await lectern(["demo", "--data", data])
      assert.strictEqual(code, 0, `${run} run: ${stderr}`)
      assert.match(stdout, /^car-detection\.mp4: READY/m)
      assert.match(stdout, /^ {2}HLS http:\/\/\S+\/master\.m3u8$/m)
      assert.match(stdout, /^roster\.xlsx: DONE$/m)
      for (const cell of ["C47", "B66", "C81", "B126"]) assert.include(stdout, cell)
      assert.match(stderr, /✓ car-detection\.mp4 .* 100% {2}READY/)
      assert.match(stderr, /✓ roster\.xlsx .* 100% {2}DONE/)
    }
  })

  it("removes nothing that an earlier demo did not make", async () => {
    const data = await ownFolder()
    await writeFile(join(data, "thesis.txt"), "precious")
    // As `.lectern` looks with the default directory of a demo in it.
    await mkdir(join(data, "demo"))
    const { code, stderr } = await lectern(["demo", "--data", data])
    assert.strictEqual(code, 78)
    assert.include(stderr, "was not made by a demo")
    assert.sameMembers(await readdir(data), ["demo", "thesis.txt"])
  })
})
