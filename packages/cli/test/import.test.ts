import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { copyFile, readdir, readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { ImportResult } from "../src/importReport.ts"
import { lectern, ownFolder, sampleFile } from "./lecternProgram.ts"

const decode = Schema.decodeUnknownSync(Schema.fromJsonString(ImportResult))

const withRoster = async () => {
  const folder = await ownFolder()
  await copyFile(sampleFile("roster.xlsx"), join(folder, "roster.xlsx"))
  return folder
}

describe("lectern import", () => {
  it("says which cells were refused, and leaves the rows with an error column beside the list", async () => {
    const folder = await withRoster()
    const { code, stdout } = await lectern(["import", "roster.xlsx"], { cwd: folder })
    assert.strictEqual(code, 0)
    assert.include(stdout, "240명 중 235명 등록, 중복 1명, 거부 4명")
    for (const cell of ["C47", "B66", "C81", "B126"]) assert.include(stdout, cell)
    assert.include(stdout, join(folder, "roster (결과).xlsx"))
    assert.sameMembers(await readdir(folder), ["roster.xlsx", "roster (결과).xlsx"])
    assert.strictEqual((await readFile(join(folder, "roster (결과).xlsx"))).subarray(0, 2).toString(), "PK")
  })

  it("prints one object on standard output, and writes nothing on a dry run", async () => {
    const folder = await withRoster()
    const { code, stderr, stdout } = await lectern(["import", "roster.xlsx", "--dry-run", "--json"], { cwd: folder })
    assert.strictEqual(code, 0)
    const result = decode(stdout)
    assert.deepStrictEqual(result.failed.map(({ cell }) => cell), ["C47", "B66", "C81", "B126"])
    assert.deepInclude(result, { created: 235, duplicates: 1, total: 240, failed_rows: 4, download_url: null })
    assert.include(stderr, "100%")
    assert.deepStrictEqual(await readdir(folder), ["roster.xlsx"])
  })

  it("names its workbook in the object, and makes the same again over an earlier one", async () => {
    const folder = await withRoster()
    const first = await lectern(["import", "roster.xlsx", "--json"], { cwd: folder })
    const again = await lectern(["import", "roster.xlsx", "--json"], { cwd: folder })
    assert.strictEqual(again.code, 0)
    assert.strictEqual(again.stdout, first.stdout)
    const address = decode(again.stdout).download_url ?? ""
    assert.isTrue((await readFile(new URL(address))).length > 0)
  })

  it("refuses what is no class list in two languages, and leaves nothing", async () => {
    const folder = await ownFolder()
    await writeFile(join(folder, "notes.xlsx"), "not a workbook")
    const { code, stderr, stdout } = await lectern(["import", "notes.xlsx", "--json"], { cwd: folder })
    assert.strictEqual(code, 64)
    assert.strictEqual(stdout, "")
    assert.match(stderr, /[가-힣]/)
    assert.deepStrictEqual(await readdir(folder), ["notes.xlsx"])
  })
})
