import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { isTerminal, type JobId, type Lease, leaseFault } from "../Job.ts"
import { JobNotFound, JobStore } from "../JobStore.ts"
import { LedgerMessage, messageAfter, type MessageEvent, noMessages, openStates } from "../LedgerMessage.ts"
import {
  type Acceptance,
  BusinessKeyReused,
  DailyCapReached,
  type MailingState,
  MessageLedger,
  type NewMailing,
  type NextMessages,
  NothingToResend
} from "../MessageLedger.ts"
import {
  allowance,
  emptyMessageQuota,
  leftToday,
  type MessageLimits,
  type MessageQuota,
  spend
} from "../MessageQuota.ts"
import { nextSeoulDay } from "../SeoulTime.ts"
import type { TenantId } from "../Tenant.ts"

interface Entry {
  readonly tenantId: TenantId
  readonly mailing: NewMailing
  readonly accepted: number
  messages: ReadonlyArray<LedgerMessage>
}

const stateOf = ({ mailing, messages }: Entry): MailingState => {
  const counts = { ...noMessages }
  for (const { state } of messages) counts[state] += 1
  const { mode, subject, templateId, urgentReason } = mailing
  return { mode, subject, templateId, urgentReason, counts }
}

/** Applies an event to the messages that `which` names and whose state it may meet. Answers how many there were. */
const apply = (
  entry: Entry,
  event: MessageEvent,
  which: (message: LedgerMessage) => boolean,
  fields: (message: LedgerMessage) => Partial<typeof LedgerMessage.Type> = () => ({})
): number => {
  let changed = 0
  entry.messages = entry.messages.map((message) => {
    const state = which(message) ? messageAfter(message.state, event) : null
    if (state === null) return message
    changed += 1
    return new LedgerMessage({ ...message, ...fields(message), state })
  })
  return changed
}

const waitsAgain = { ticket: null, providerId: null } as const

/** The ledger in memory, under the leases of the job store beside it. */
export const layer: Layer.Layer<MessageLedger, never, JobStore> = Layer.effect(
  MessageLedger,
  Effect.gen(function*() {
    const jobs = yield* JobStore
    const entries = new Map<string, Entry>()
    const quotas = new Map<TenantId, MessageQuota>()
    const nameOf = (tenantId: TenantId, jobId: JobId): string => `${tenantId}/${jobId}`

    const find = (tenantId: TenantId, jobId: JobId) =>
      Effect.suspend(() => {
        const entry = entries.get(nameOf(tenantId, jobId))
        return entry === undefined ? Effect.fail(new JobNotFound({ jobId })) : Effect.succeed(entry)
      })

    const held = Effect.fnUntraced(function*(lease: Lease) {
      const { job } = yield* jobs.getJob(lease.tenantId, lease.jobId)
      const fault = leaseFault(job, lease)
      if (fault !== null) return yield* fault
      return yield* find(lease.tenantId, lease.jobId)
    })

    const quotaOf = (tenantId: TenantId): MessageQuota => quotas.get(tenantId) ?? emptyMessageQuota

    const waiting = (tenantId: TenantId): number =>
      [...entries.values()].filter((entry) => entry.tenantId === tenantId)
        .reduce((sum, entry) => sum + stateOf(entry).counts.pending, 0)

    const create = (tenantId: TenantId, mailing: NewMailing) =>
      Effect.map(
        jobs.createJob(tenantId, {
          id: mailing.jobId,
          kind: "messaging",
          tier: "lite",
          payload: { mode: mailing.mode, messages: mailing.recipients.length }
        }),
        (receipt) => {
          entries.set(nameOf(tenantId, mailing.jobId), {
            tenantId,
            mailing,
            accepted: mailing.recipients.length,
            messages: mailing.recipients.map(({ address, text }, index) =>
              new LedgerMessage({
                number: index + 1,
                address,
                text,
                state: "pending",
                ticket: null,
                providerId: null,
                reason: null
              })
            )
          })
          return receipt
        }
      )

    const known = (tenantId: TenantId, mailing: NewMailing): Effect.Effect<Acceptance, BusinessKeyReused> | null => {
      for (const entry of entries.values()) {
        if (entry.tenantId !== tenantId || entry.mailing.businessKey !== mailing.businessKey) continue
        const { jobId } = entry.mailing
        return entry.mailing.digest === mailing.digest
          ? Effect.succeed({ _tag: "Known", jobId, messages: entry.accepted })
          : Effect.fail(new BusinessKeyReused({ jobId }))
      }
      return null
    }

    return MessageLedger.of({
      accept: Effect.fnUntraced(function*(tenantId, mailing, limits: MessageLimits) {
        const before = known(tenantId, mailing)
        if (before !== null) return yield* before
        const now = yield* Clock.currentTimeMillis
        const asked = mailing.recipients.length
        const left = leftToday(quotaOf(tenantId), limits, waiting(tenantId), now)
        if (asked > left) return yield* new DailyCapReached({ asked, left, until: nextSeoulDay(now) })
        const accepted: Acceptance = { _tag: "Accepted", receipt: yield* create(tenantId, mailing) }
        return accepted
      }),

      look: (lease) => Effect.map(held(lease), stateOf),

      unsettled: (lease) =>
        Effect.map(held(lease), ({ messages }) => [
          ...new Set(messages.flatMap(({ state, ticket }) => state === "sending" && ticket !== null ? [ticket] : []))
        ]),

      next: Effect.fnUntraced(function*(lease, max, limits) {
        const { messages } = yield* held(lease)
        const now = yield* Clock.currentTimeMillis
        const allowed = allowance(quotaOf(lease.tenantId), limits, now)
        const waiting = messages.filter(({ state }) => state === "pending").slice(0, max)
        if (waiting.length > 0 && allowed._tag === "Wait") return allowed
        const next: NextMessages = {
          _tag: "Next",
          messages: allowed._tag === "Now" ? waiting.slice(0, allowed.messages) : waiting
        }
        return next
      }),

      begin: Effect.fnUntraced(function*(lease, { refused, taken, ticket }, limits) {
        const entry = yield* held(lease)
        const now = yield* Clock.currentTimeMillis
        const quota = quotaOf(lease.tenantId)
        const allowed = allowance(quota, limits, now)
        if (allowed._tag === "Wait") return allowed
        const ids = new Map(taken.map(({ number, providerId }) => [number, providerId]))
        const reasons = new Map(refused.map(({ number, reason }) => [number, reason]))
        apply(entry, "refuse", ({ number }) => reasons.has(number), ({ number }) => ({
          reason: reasons.get(number) ?? null
        }))
        const begun = apply(entry, "begin", ({ number }) => ids.has(number), ({ number }) => ({
          ticket,
          providerId: ids.get(number) ?? null,
          reason: null
        }))
        quotas.set(lease.tenantId, spend(quota, begun, now))
        return "Begun" as const
      }),

      settle: Effect.fnUntraced(function*(lease, ticket, event, refused) {
        const entry = yield* held(lease)
        const reasons = new Map(refused.map(({ number, reason }) => [number, reason]))
        const ofBatch = (message: LedgerMessage): boolean => message.ticket === ticket
        apply(entry, "refuse", (message) => ofBatch(message) && reasons.has(message.number), ({ number }) => ({
          reason: reasons.get(number) ?? null
        }))
        apply(entry, event, ofBatch, () => event === "withdraw" ? waitsAgain : {})
      }),

      list: (tenantId, jobId, states, limit) =>
        Effect.map(find(tenantId, jobId), (entry) => ({
          mailing: stateOf(entry),
          messages: entry.messages.filter(({ state }) => states.includes(state)).slice(0, limit)
        })),

      decide: Effect.fnUntraced(function*(tenantId, jobId, numbers, event) {
        const entry = yield* find(tenantId, jobId)
        const { job } = yield* jobs.getJob(tenantId, jobId)
        const open = openStates(job.status)
        return apply(
          entry,
          event,
          ({ number, state }) => open.includes(state) && numbers.includes(number),
          () => event === "withdraw" ? waitsAgain : {}
        )
      }),

      resend: Effect.fnUntraced(function*(tenantId, jobId, numbers, newJobId) {
        const entry = yield* find(tenantId, jobId)
        const { job } = yield* jobs.getJob(tenantId, jobId)
        const again = entry.messages.filter(({ number, state }) =>
          state === "pending" || (state !== "sent" && numbers.includes(number)))
        if (!isTerminal(job.status) || again.length === 0) return yield* new NothingToResend({ jobId })
        const names = new Set(again.map(({ number }) => number))
        entry.messages = entry.messages.map((message) =>
          names.has(message.number)
            ? new LedgerMessage({ ...message, state: "failed", reason: `resent by ${newJobId}` })
            : message)
        return yield* create(tenantId, {
          ...entry.mailing,
          jobId: newJobId,
          businessKey: `resend:${newJobId}`,
          recipients: again.map(({ address, text }) => ({ address, text }))
        })
      }),

      purge: Effect.fnUntraced(function*(endedMillisAgo) {
        const now = yield* Clock.currentTimeMillis
        let removed = 0
        for (const entry of entries.values()) {
          const { job } = yield* Effect.catchTag(
            jobs.getJob(entry.tenantId, entry.mailing.jobId),
            "JobNotFound",
            // The job and its messages were written together, and nothing removes a job that belongs to no video.
            (error) => Effect.die(error)
          )
          if (!isTerminal(job.status) || job.updatedAt > now - endedMillisAgo) continue
          removed += entry.messages.length
          entry.messages = []
        }
        return removed
      })
    })
  })
)
