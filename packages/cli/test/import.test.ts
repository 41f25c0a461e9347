import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { copyFile, mkdir, readdir, readFile, writeFile } from "node:fs/promises"
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
    assert.include(stdout, "240명 중 235명 등록 가능, 중복 1명, 거부 4명")
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

  it("says why it cannot write its workbook, and leaves nothing half done", async () => {
    const folder = await withRoster()
    await mkdir(join(folder, "roster (결과).xlsx"))
    const { code, stderr, stdout } = await lectern(["import", "roster.xlsx"], { cwd: folder })
    assert.strictEqual(code, 69)
    assert.strictEqual(stdout, "")
    assert.notInclude(stderr, "완료")
    assert.include(stderr, `Cannot write "${join(folder, "roster (결과).xlsx")}": it is a directory, not a file`)
    assert.sameMembers(await readdir(folder), ["roster.xlsx", "roster (결과).xlsx"])
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

  it("asks how a list is meant, shows each reading, and reads it as it is told", async () => {
    const folder = await ownFolder()
    await writeFile(join(folder, "list.csv"), "이름,연락처\n김가온,010-1234-9999\n")
    const asked = await lectern(["import", "list.csv"], { cwd: folder })
    assert.strictEqual(asked.code, 2)
    assert.include(asked.stdout, "--reading guardian:B")
    assert.include(asked.stdout, "2행  이름: 김가온  학생 연락처: 010-1234-9999")
    assert.deepStrictEqual(await readdir(folder), ["list.csv"])
    const told = await lectern(["import", "list.csv", "--reading", "guardian:B", "--json"], { cwd: folder })
    assert.strictEqual(told.code, 0, told.stderr)
    assert.strictEqual(decode(told.stdout).created, 1)
    const wrong = await lectern(["import", "list.csv", "--reading", "guardian:1"], { cwd: folder })
    assert.strictEqual(wrong.code, 64)
    assert.include(wrong.stderr, "a reading is guardian:C")
  })

  it("undoes a job of a record that is there, and says where there is none", async () => {
    const folder = await ownFolder()
    const neither = await lectern(["import"], { cwd: folder })
    assert.strictEqual(neither.code, 64)
    assert.include(neither.stderr, "Cannot import with neither: give a FILE, or --undo JOB")
    const both = await lectern(["import", "roster.xlsx", "--undo", "j1"], { cwd: folder })
    assert.include(both.stderr, "Cannot import with both: give a FILE, or --undo JOB")
    const nowhere = await lectern(["import", "--undo", "j1"], { cwd: folder })
    assert.strictEqual(nowhere.code, 78)
    assert.include(nowhere.stderr, "There is no record to undo an import in")
    await mkdir(join(folder, ".lectern/database"), { recursive: true })
    const unknown = await lectern(["import", "--undo", "j1"], { cwd: folder })
    assert.strictEqual(unknown.code, 64)
    assert.include(unknown.stderr, "Tenant 1 has no job \"j1\"")
  })
})
