/** Videos in a real mirror, changed as the work changes them. */
import { withRedis } from "../edge/patientRedis.ts"

/** Returns what changes videos of tenant 7, in the Redis at `url`; number 42 where none is named. */
export const mirroredVideos = (url: string) => {
  let revision = 0
  return (status: string, percent: number, ids: ReadonlyArray<number> = [42]) => {
    revision += 1
    const version = { revision, attempt: 1 }
    const progress = { step: "transcoding", percent, remaining_seconds: 30, tick: 1, as_of: revision, ...version }
    return withRedis(url, async (redis) => {
      for (const id of ids) {
        await redis.mset({
          [`tenant:7:video:${id}:status`]: JSON.stringify({ status, updated_at: 1, ...version }),
          [`tenant:7:video:${id}:progress`]: JSON.stringify(progress)
        })
        await redis.publish("lectern:progress", `tenant:7:video:${id}`)
      }
    })
  }
}
