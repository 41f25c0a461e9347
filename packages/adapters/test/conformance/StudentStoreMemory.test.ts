import { JobStoreMemory, StudentStoreMemory } from "@lectern/domain/memory"
import { Layer } from "effect"
import { studentStoreSuite } from "./StudentStoreConformance.ts"

studentStoreSuite("in memory", StudentStoreMemory.layer.pipe(Layer.provideMerge(JobStoreMemory.layer)))
