import { JobStoreMemory, MessageLedgerMemory } from "@lectern/domain/memory"
import { Layer } from "effect"
import { messageLedgerSuite } from "./MessageLedgerConformance.ts"

messageLedgerSuite("in memory", MessageLedgerMemory.layer.pipe(Layer.provideMerge(JobStoreMemory.layer)))
