import { EncodePartsMemory, JobStoreMemory } from "@lectern/domain/memory"
import { Layer } from "effect"
import { encodePartsSuite } from "./EncodePartsConformance.ts"

encodePartsSuite("in memory", EncodePartsMemory.layer.pipe(Layer.provideMerge(JobStoreMemory.layer)))
