import { readFile } from "node:fs/promises"
import { expect, it } from "vitest"

const read = (path: string): Promise<string> => readFile(new URL(path, import.meta.url), "utf8")

it("the example in the docstring of TestDomain is the test that is run", async () => {
  const source = await read("../../src/testing/TestDomain.ts")
  const [, block] = /```ts\n([\s\S]*?) \* ```/.exec(source) ?? []
  const example = block?.replaceAll(/^ \* ?/gm, "")
  expect(example).toBe(await read("TestDomain.example.test.ts"))
})
