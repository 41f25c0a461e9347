import { JobStoreMemory } from "@lectern/domain/memory"
import { conformancePolicy, jobStoreSuite } from "./JobStoreConformance.ts"

jobStoreSuite("in memory", JobStoreMemory.layerWith(conformancePolicy))
