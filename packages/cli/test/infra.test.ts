import { assert, describe, it } from "vitest"
import { readdir, readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { lectern, ownFolder } from "./lecternProgram.ts"

describe("lectern infra synth", () => {
  it("writes a template for each stack, and the lint takes them", async () => {
    const folder = await ownFolder()
    const { code, stderr, stdout } = await lectern(["infra", "synth", "--out", join(folder, "new/cdk.out")])
    assert.strictEqual(code, 0, stderr)
    const files = await readdir(join(folder, "new/cdk.out"))
    assert.sameMembers(files, ["lectern-video.template.json", "lectern-queues.template.json", "lectern-operations.template.json"])
    assert.sameMembers(stdout.trim().split("\n"), files.map((file) => join(folder, "new/cdk.out", file)))
    assert.strictEqual(stderr, "")
    const lint = await lectern(["lint-batch", join(folder, "new/cdk.out/lectern-video.template.json")])
    assert.deepInclude(lint, { code: 0, stdout: "No findings\n" })
  })

  it("writes over what an earlier run has left, and nothing else", async () => {
    const folder = await ownFolder()
    await writeFile(join(folder, "mine.txt"), "mine")
    await writeFile(join(folder, "lectern-video.template.json"), "old")
    const { code } = await lectern(["infra", "synth", "--out", folder, "--json"])
    assert.strictEqual(code, 0)
    assert.strictEqual(await readFile(join(folder, "mine.txt"), "utf8"), "mine")
    assert.match(await readFile(join(folder, "lectern-video.template.json"), "utf8"), /AWS::Batch::JobQueue/)
  })

  it("writes what lint-batch takes as it stands, the templates without Batch too", async () => {
    const folder = await ownFolder()
    await lectern(["infra", "synth", "--out", folder])
    const files = (await readdir(folder)).map((name) => join(folder, name))
    const all = await lectern(["lint-batch", ...files])
    assert.strictEqual(all.code, 0, all.stderr)
    assert.strictEqual(all.stdout, "No findings\n")
    const queues = files.filter((file) => file.includes("queues"))
    assert.match(all.stderr, new RegExp(`^lectern: Nothing to check in "${queues[0]}"`))
    const alone = await lectern(["lint-batch", ...queues])
    assert.strictEqual(alone.code, 64)
    assert.include(alone.stderr, "no file holds anything of Batch")
  })

  it("says that it cannot write where a file stands in its way", async () => {
    const folder = await ownFolder()
    await writeFile(join(folder, "taken"), "")
    const { code, stderr } = await lectern(["infra", "synth", "--out", join(folder, "taken")])
    assert.strictEqual(code, 69)
    assert.match(stderr, /Cannot write the templates to ".*taken": something else stands there already/)
  })
})
