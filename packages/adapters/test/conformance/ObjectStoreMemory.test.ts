import { TestDomain } from "@lectern/domain/testing"
import { objectStoreSuite } from "./ObjectStoreSuite.ts"

objectStoreSuite("A test's memory", TestDomain.layer, { bigBytes: 1_000_003 })
