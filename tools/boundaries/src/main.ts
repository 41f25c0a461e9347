/** `npm run boundaries`: prints each violation and exits with 1 if there is one. */
import { fileURLToPath } from "node:url"
import { checkBoundaries, rules } from "./checkBoundaries.ts"
import { readRepository } from "./Repository.ts"
import { show } from "./Violation.ts"

const repository = readRepository(fileURLToPath(new URL("../../../", import.meta.url)).replace(/\/$/, ""))
const violations = await checkBoundaries(repository)
for (const violation of violations) console.error(show(violation))
console.log(`boundaries: ${rules.length} rules over ${repository.modules.length} modules, ${violations.length} violations`)
process.exitCode = violations.length === 0 ? 0 : 1
