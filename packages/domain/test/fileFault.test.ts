import { assert, describe, it } from "@effect/vitest"
import * as PlatformError from "effect/PlatformError"
import { fileFault } from "@lectern/domain"

const errno = (code: string) => Object.assign(new Error(`${code}: said by the system, open '/x'`), { code })

const platformError = (cause: unknown) =>
  PlatformError.systemError({ _tag: "Unknown", module: "FileSystem", method: "writeFile", pathOrDescriptor: "/x", cause })

describe("fileFault", () => {
  it("says a code of the system as what it means, however deep it lies", () => {
    assert.strictEqual(fileFault(errno("ENOSPC")), "there is no space left on the disk")
    assert.strictEqual(fileFault(platformError(errno("EROFS"))), "nothing can be written there: the file system is read-only")
    assert.strictEqual(
      fileFault(new Error("Cannot write", { cause: platformError(errno("ENOTDIR")) })),
      "a file stands where a directory is needed"
    )
  })

  it("repeats what the system said where the code is none that we know", () => {
    assert.strictEqual(fileFault(platformError(errno("EBADMSG"))), "EBADMSG: said by the system, open '/x'")
  })

  it("repeats the innermost message where there is no code", () => {
    assert.strictEqual(fileFault(new Error("outer", { cause: new Error("inner") })), "inner")
    assert.strictEqual(fileFault(new Error("alone")), "alone")
    assert.include(fileFault(platformError(undefined)), "FileSystem.writeFile (/x)")
  })

  it("ends on a ring of causes", () => {
    const ring = new Error("round")
    ring.cause = ring
    assert.strictEqual(fileFault(ring), "round")
  })
})
