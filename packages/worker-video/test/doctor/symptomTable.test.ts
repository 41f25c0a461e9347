import { expect, it } from "vitest"
import { symptomTable } from "../../src/doctor/index.ts"

it("stands in docs/batch-doctor.md as the code has it", async () => {
  await expect(symptomTable()).toMatchFileSnapshot("../../../../docs/batch-doctor.md")
})
