import { assert, describe, it } from "vitest"
import {
  architectureOf,
  instanceType,
  mostAvailableMemory,
  surelyAvailableMemory
} from "../../src/doctor/InstanceType.ts"

describe("instanceType", () => {
  for (
    const [name, vcpus, gib, architecture] of [
      ["c6i.xlarge", 4, 8, "amd64"],
      ["c7g.large", 2, 4, "arm64"],
      ["m7gd.4xlarge", 16, 64, "arm64"],
      ["r5.large", 2, 16, "amd64"],
      ["t3.medium", 2, 4, "amd64"],
      ["t4g.small", 2, 2, "arm64"],
      ["g4dn.xlarge", 4, 16, "amd64"],
      ["g5g.xlarge", 4, 8, "arm64"],
      ["c4.large", 2, 3.75, "amd64"]
    ] as const
  ) {
    it(`knows ${name}`, () => {
      assert.deepStrictEqual(instanceType(name), { name, vcpus, memory: gib * 1024, architecture })
    })
  }

  it("says nothing about types that its rules do not cover", () => {
    for (const name of ["p4d.24xlarge", "optimal", "m5.metal", "c7i-flex.large", "toString.large", ""]) {
      assert.isNull(instanceType(name), name)
    }
  })

  it("takes the memory that was seen to fit, and refuses the whole of an instance", () => {
    const four = instanceType("c6i.large")
    const sixteen = instanceType("g4dn.xlarge")
    assert.isNotNull(four)
    assert.isNotNull(sixteen)
    if (four === null || sixteen === null) return
    assert.isAtLeast(surelyAvailableMemory(four), 3_584)
    assert.isBelow(mostAvailableMemory(four), 4_096)
    assert.isAtLeast(surelyAvailableMemory(sixteen), 12_288)
    assert.isBelow(mostAvailableMemory(sixteen), 16_384)
  })

  it("reads the architecture from a family as well", () => {
    assert.deepStrictEqual(["c7g", "m6i", "a1.large", "optimal"].map(architectureOf), ["arm64", "amd64", "arm64", null])
  })
})
