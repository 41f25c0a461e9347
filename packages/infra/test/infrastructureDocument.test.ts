import { expect, it } from "vitest"
import { infrastructureDocument } from "../src/index.ts"

it("stands in docs/infrastructure.md as the code has it", async () => {
  await expect(infrastructureDocument()).toMatchFileSnapshot("../../../docs/infrastructure.md")
})
