import { JobStoreMemory, RunHistoryMemory } from "@lectern/domain/memory"
import { Layer } from "effect"
import { runHistorySuite } from "./RunHistoryConformance.ts"

runHistorySuite("in memory", RunHistoryMemory.layer.pipe(Layer.provideMerge(JobStoreMemory.layer)))
