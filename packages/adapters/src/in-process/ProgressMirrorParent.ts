import {
  type Committed,
  type MirroredRecord,
  MirrorUnavailable,
  ProgressMirror,
  receiptEntries,
  type Tick
} from "@lectern/domain"
import { Clock, Effect, Layer, Schema } from "effect"
import { type IpcUnavailable, ParentChannel } from "./ParentChannel.ts"
import { MirrorWritten } from "./PortProtocol.ts"

const decodeWritten = Schema.decodeUnknownPromise(MirrorWritten)

/** The parent's mirror in memory, written over the channel. */
const overChannel: Layer.Layer<ProgressMirror, never, ParentChannel> = Layer.effect(
  ProgressMirror,
  Effect.map(ParentChannel, (parent) => {
    const write = (operation: string, receipt: Committed<MirroredRecord>, tick: Tick | null) =>
      Effect.flatMap(Clock.currentTimeMillis, (now) =>
        Effect.tryPromise({
          try: async () => decodeWritten(await parent.ask({ _tag: "Mirror", entries: receiptEntries(receipt, tick, now) })),
          catch: (cause) => new MirrorUnavailable({ operation, cause })
        }))
    return ProgressMirror.of({
      publish: (receipt) => write("publish progress", receipt, null),
      tick: (receipt, tick) => write("publish a sample", receipt, tick),
      ping: Effect.tryPromise({
        try: () => parent.ask({ _tag: "Mirror", entries: [] }),
        catch: (cause) => new MirrorUnavailable({ operation: "reach the parent's mirror", cause })
      }).pipe(Effect.asVoid)
    })
  })
)

/** A mirror that is not there: progress is nobody's reason to fail. */
const absent = (cause: IpcUnavailable): Layer.Layer<ProgressMirror> => {
  const unavailable = Effect.fail(new MirrorUnavailable({ operation: "reach the parent's mirror", cause }))
  return Layer.succeed(ProgressMirror, ProgressMirror.of({ publish: () => unavailable, tick: () => unavailable, ping: unavailable }))
}

/** The parent's mirror; without a channel every call fails with `MirrorUnavailable`, and the process starts all the same. */
export const layer: Layer.Layer<ProgressMirror> = Layer.unwrap(
  Effect.match(Layer.build(ParentChannel.layer), {
    onSuccess: (context) => Layer.provide(overChannel, Layer.succeedContext(context)),
    onFailure: absent
  })
)
