import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import {
  EncodeClosed,
  type EncodePart,
  EncodeParts,
  type EncodeRef,
  type LeftEncode,
  type PartFile
} from "../EncodeParts.ts"
import { isTerminal, type JobId } from "../Job.ts"
import { JobStore } from "../JobStore.ts"
import type { TenantId } from "../Tenant.ts"
import type { VideoId } from "../VideoId.ts"

interface OpenPart {
  claim: number
  owner: string
  until: number
  files: ReadonlyArray<PartFile> | null
}

interface OpenEncode {
  readonly ref: EncodeRef
  readonly token: string
  readonly parts: Map<string, OpenPart>
  published: { readonly jobId: JobId; readonly paths: ReadonlyArray<string> } | null
  touchedAt: number
}

const nameOf = ({ key, tenantId, videoId }: EncodeRef): string => `${tenantId}/${videoId}/${key}`

/** Parts in memory, beside the job store that says which video is still there. */
export const layer: Layer.Layer<EncodeParts, never, JobStore> = Layer.effect(
  EncodeParts,
  Effect.gen(function*() {
    const jobs = yield* JobStore
    const encodes = new Map<string, OpenEncode>()

    /** Looks at an open encode at this moment. */
    const touch = <A>(ref: EncodeRef, look: (encode: OpenEncode, now: number) => A): Effect.Effect<A | null> =>
      Effect.map(Clock.currentTimeMillis, (now) => {
        const encode = encodes.get(nameOf(ref))
        if (encode === undefined) return null
        encode.touchedAt = now
        return look(encode, now)
      })

    const fateOf = Effect.fnUntraced(function*({ published, ref }: OpenEncode) {
      const found = yield* jobs.getVideo(ref.tenantId, ref.videoId).pipe(
        Effect.catchTag("VideoNotFound", () => Effect.succeed(null))
      )
      if (found === null) return "VideoGone"
      const { job } = found
      if (job === null || !isTerminal(job.status)) return null
      return job.status === "DONE" && published?.jobId === job.id ? "Published" : "Unfinished"
    })

    const closeAll = (tenantId: TenantId, videoId: VideoId) =>
      Effect.sync(() => {
        for (const [name, { ref }] of encodes) {
          if (ref.tenantId === tenantId && ref.videoId === videoId) encodes.delete(name)
        }
      })

    return EncodeParts.of({
      open: (ref, token) =>
        Effect.map(Clock.currentTimeMillis, (now) => {
          const found = encodes.get(nameOf(ref))
          if (found !== undefined) {
            found.touchedAt = now
            return found.token
          }
          encodes.set(nameOf(ref), { ref, token, parts: new Map(), published: null, touchedAt: now })
          return token
        }),
      parts: Effect.fnUntraced(function*(ref: EncodeRef) {
        const now = yield* Clock.currentTimeMillis
        const encode = encodes.get(nameOf(ref))
        if (encode === undefined) return yield* new EncodeClosed({ videoId: ref.videoId, key: ref.key })
        return [...encode.parts].map(([name, { claim, files, owner, until }]): EncodePart => ({
          name,
          claim,
          owner,
          files,
          held: until > now
        }))
      }),
      claim: (ref, part, { leaseMillis, owner }) =>
        touch(ref, ({ parts }, now) => {
          const found = parts.get(part)
          if (found !== undefined && (found.files !== null || (found.owner !== owner && found.until > now))) return null
          const claim = (found?.claim ?? 0) + 1
          parts.set(part, { claim, owner, until: now + leaseMillis, files: null })
          return claim
        }),
      renew: (ref, { leaseMillis, owner }) =>
        Effect.asVoid(touch(ref, ({ parts }, now) => {
          for (const part of parts.values()) {
            if (part.owner === owner && part.files === null) part.until = now + leaseMillis
          }
        })),
      finish: (ref, part, claim, files) =>
        Effect.map(
          touch(ref, ({ parts }) => {
            const found = parts.get(part)
            if (found === undefined || found.claim !== claim) return false
            found.files ??= files
            return true
          }),
          (finished) => finished ?? false
        ),
      publishing: (ref, jobId, paths) =>
        Effect.asVoid(touch(ref, (encode) => {
          encode.published = { jobId, paths }
        })),
      close: (ref) => Effect.sync(() => void encodes.delete(nameOf(ref))),
      closePublished: (tenantId, videoId, jobId) =>
        jobs.getVideo(tenantId, videoId).pipe(
          Effect.catchTag("VideoNotFound", () => Effect.succeed(null)),
          Effect.flatMap((found) => found?.job?.id === jobId ? closeAll(tenantId, videoId) : Effect.void)
        ),
      closeAll,
      findLeft: Effect.fnUntraced(function*({ failedIdleMillis, idleMillis, limit }: {
        readonly idleMillis: number
        readonly failedIdleMillis: number
        readonly limit: number
      }) {
        const now = yield* Clock.currentTimeMillis
        const left: Array<LeftEncode> = []
        for (const encode of encodes.values()) {
          const fate = yield* fateOf(encode)
          const idle = fate === "Unfinished" ? failedIdleMillis : idleMillis
          if (fate === null || now - encode.touchedAt < idle || left.length >= limit) continue
          left.push({ ...encode.ref, token: encode.token, fate, published: encode.published?.paths ?? null })
        }
        return left
      })
    })
  })
)
