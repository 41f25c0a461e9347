import { JobStore } from "@lectern/domain"
import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { CurrentPrincipal } from "./Authorization.ts"
import { jobView } from "./JobView.ts"
import { MirroredDetail } from "./MirroredDetail.ts"
import { OriginApi } from "./OriginApi.ts"
import { jobNotFound, unavailable } from "./refusals.ts"

export const JobHandlers = HttpApiBuilder.group(
  OriginApi,
  "jobs",
  Effect.fnUntraced(function*(handlers) {
    const store = yield* JobStore
    const mirror = yield* MirroredDetail
    return handlers.handleAll({
      detail: Effect.fn("Origin.jobDetail")(function*({ params }) {
        const { tenantId } = yield* CurrentPrincipal
        const { job } = yield* store.getJob(tenantId, params.job_id).pipe(
          Effect.catchTags({
            JobNotFound: (error) => Effect.fail(jobNotFound(error)),
            JobStoreUnavailable: unavailable("look up the job")
          })
        )
        return jobView(job, yield* mirror.jobProgress(tenantId, job))
      })
    })
  })
)
