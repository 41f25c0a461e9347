import {
  type Acceptance,
  allowance,
  BusinessKeyReused,
  createJob,
  DailyCapReached,
  emptyMessageQuota,
  EpochMillis,
  isTerminal,
  JobId,
  JobNotFound,
  type JobRecord,
  type JobRef,
  type Lease,
  LedgerMessage,
  leftToday,
  MailingState,
  type MessageEvent,
  MessageLedger,
  type MessageLimits,
  MessageQuota,
  messageTransitions,
  type NewMailing,
  type NextMessages,
  nextSeoulDay,
  NothingToResend,
  openStates,
  type PreparedBatch,
  RefusedMessage,
  spend,
  TakenMessage,
  type TenantId
} from "@lectern/domain"
import { commit } from "@lectern/domain/committed"
import { Effect, Layer, Schema } from "effect"
import { SqlClient } from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import { retryCollisions, unavailableWhen } from "./databaseFailure.ts"
import { insertJob } from "./insertJob.ts"
import { leasedJob, lockedJob } from "./leasedJob.ts"
import { withinLimit, withTransaction } from "./withTransaction.ts"

type DatabaseError = SqlError | Schema.SchemaError

const clock = "floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint"

const rowsOf = <A, I>(
  record: Schema.Codec<A, I>
): (rows: unknown) => Effect.Effect<ReadonlyArray<A>, Schema.SchemaError> => {
  const decode = Schema.decodeUnknownEffect(Schema.Array(Schema.Struct({ record })))
  return (rows) => Effect.map(decode(rows), (found) => found.map((row) => row.record))
}

const decodeQuota = rowsOf(Schema.Struct({ now: EpochMillis, ...MessageQuota.fields }))
const decodeKnown = rowsOf(Schema.Struct({ jobId: JobId, digest: Schema.String, messages: Schema.Int }))
const decodeCount = rowsOf(Schema.Struct({ count: Schema.Int }))
const decodeMailing = rowsOf(MailingState)
const decodeTickets = rowsOf(Schema.Struct({ ticket: Schema.String }))
const decodeMessages = rowsOf(Schema.Struct(LedgerMessage.fields))

const Recipient = Schema.Struct({ number: Schema.Int, address: Schema.String, text: Schema.String })
const encodeRecipients = Schema.encodeEffect(Schema.fromJsonString(Schema.Array(Recipient)))
const encodeRefused = Schema.encodeEffect(Schema.fromJsonString(Schema.Array(RefusedMessage)))
const encodeTaken = Schema.encodeEffect(Schema.fromJsonString(Schema.Array(TakenMessage)))
const encodeNumbers = Schema.encodeEffect(Schema.fromJsonString(Schema.Array(Schema.Int)))

const columns = `json_build_object(
  'number', m.number, 'address', m.address, 'text', m.text, 'state', m.state, 'ticket', m.ticket,
  'providerId', m.provider_id, 'reason', m.reason
) AS record`

const counts = `(
  SELECT json_build_object(
    'pending', count(*) FILTER (WHERE state = 'pending'),
    'sending', count(*) FILTER (WHERE state = 'sending'),
    'sent', count(*) FILTER (WHERE state = 'sent'),
    'failed', count(*) FILTER (WHERE state = 'failed'),
    'ambiguous', count(*) FILTER (WHERE state = 'ambiguous')
  ) FROM messages m WHERE m.tenant_id = l.tenant_id AND m.job_id = l.job_id
)`

/** The states that an event may meet, as SQL; the domain's own words, so that nothing has to be escaped. */
const fromStates = (event: MessageEvent): string =>
  messageTransitions[event].from.map((state) => `'${state}'`).join(", ")

const toState = (event: MessageEvent): string => messageTransitions[event].to

/** What an event does to a row: changes none that is in a state which the event cannot meet. */
const change = (event: MessageEvent): string =>
  `state = '${toState(event)}'${event === "withdraw" ? ", ticket = NULL, provider_id = NULL" : ""}`

/**
 * The ledger on Postgres, in the jobs' database: a job and its messages are written in one transaction, and what a
 * worker says is checked against its lease in the same one.
 */
export const layer: Layer.Layer<MessageLedger, never, SqlClient> = Layer.effect(
  MessageLedger,
  Effect.map(SqlClient, (sql) => {
    const transaction = <A, E>(
      method: string,
      name: string,
      subject: { readonly tenantId?: TenantId; readonly jobId?: JobId },
      work: Effect.Effect<A, E | DatabaseError>
    ) =>
      retryCollisions(withTransaction(sql, work)).pipe(
        unavailableWhen(name),
        Effect.withSpan(`MessageLedger.${method}`, { attributes: { tenant: subject.tenantId, job: subject.jobId } })
      )

    /** What the tenant has sent, held until the transaction ends. */
    const lockQuota = Effect.fnUntraced(function*(tenantId: TenantId) {
      const { day, dayCount, minute, minuteCount } = emptyMessageQuota
      yield* sql`INSERT INTO message_quotas (tenant_id, day, day_count, minute, minute_count)
        VALUES (${String(tenantId)}::bigint, ${String(day)}::bigint, ${String(dayCount)}::bigint,
          ${String(minute)}::bigint, ${String(minuteCount)}::bigint)
        ON CONFLICT (tenant_id) DO NOTHING`
      const [found] = yield* decodeQuota(
        yield* sql`SELECT json_build_object(
            'now', ${sql.literal(clock)}, 'day', q.day, 'dayCount', q.day_count, 'minute', q.minute,
            'minuteCount', q.minute_count
          ) AS record
          FROM (SELECT * FROM message_quotas WHERE tenant_id = ${String(tenantId)}::bigint FOR UPDATE) q`
      )
      return found ?? (yield* Effect.die(new Error("A quota that was written is not there")))
    })

    const saveQuota = (tenantId: TenantId, quota: MessageQuota) =>
      sql`UPDATE message_quotas SET day = ${String(quota.day)}::bigint, day_count = ${String(quota.dayCount)}::bigint,
          minute = ${String(quota.minute)}::bigint, minute_count = ${String(quota.minuteCount)}::bigint
        WHERE tenant_id = ${String(tenantId)}::bigint`

    const create = Effect.fnUntraced(function*(tenantId: TenantId, mailing: NewMailing, now: EpochMillis) {
      const job = createJob(
        {
          tenantId,
          id: mailing.jobId,
          kind: "messaging",
          tier: "lite",
          videoId: null,
          payload: { mode: mailing.mode, messages: mailing.recipients.length }
        },
        now
      )
      yield* insertJob(sql, job)
      yield* sql`INSERT INTO mailings
          (tenant_id, job_id, business_key, digest, mode, subject, template_id, urgent_reason, messages)
        VALUES (
          ${String(tenantId)}::bigint, ${mailing.jobId}, ${mailing.businessKey}, ${mailing.digest}, ${mailing.mode},
          ${mailing.subject}, ${mailing.templateId}, ${mailing.urgentReason},
          ${String(mailing.recipients.length)}::bigint
        )`
      const rows = yield* encodeRecipients(
        mailing.recipients.map(({ address, text }, index) => ({ number: index + 1, address, text }))
      )
      yield* sql`INSERT INTO messages (tenant_id, job_id, number, address, text, state)
        SELECT ${String(tenantId)}::bigint, ${mailing.jobId}::text, number, address, text, 'pending'
        FROM json_to_recordset(${rows}::json) AS batch (number integer, address text, text text)`
      const record: JobRecord = { job, video: null }
      return record
    })

    const mailingOf = Effect.fnUntraced(function*(ref: JobRef) {
      const [found] = yield* decodeMailing(
        yield* sql`SELECT json_build_object(
            'mode', l.mode, 'subject', l.subject, 'templateId', l.template_id, 'urgentReason', l.urgent_reason,
            'counts', ${sql.literal(counts)}
          ) AS record
          FROM mailings l WHERE l.tenant_id = ${String(ref.tenantId)}::bigint AND l.job_id = ${ref.jobId}`
      )
      return found ?? (yield* new JobNotFound({ jobId: ref.jobId }))
    })

    const refuse = Effect.fnUntraced(function*(ref: JobRef, refused: ReadonlyArray<RefusedMessage>) {
      if (refused.length === 0) return
      const batch = yield* encodeRefused(refused)
      yield* sql`UPDATE messages m SET ${sql.literal(change("refuse"))}, reason = batch.reason
        FROM json_to_recordset(${batch}::json) AS batch (number integer, reason text)
        WHERE m.tenant_id = ${String(ref.tenantId)}::bigint AND m.job_id = ${ref.jobId} AND m.number = batch.number
          AND m.state IN (${sql.literal(fromStates("refuse"))})`
    })

    const begin = Effect.fnUntraced(function*(
      lease: Lease,
      prepared: PreparedBatch,
      limits: MessageLimits
    ) {
      yield* leasedJob(sql, lease)
      const { now, ...quota } = yield* lockQuota(lease.tenantId)
      const allowed = allowance(quota, limits, now)
      if (allowed._tag === "Wait") return allowed
      yield* refuse(lease, prepared.refused)
      const batch = yield* encodeTaken(prepared.taken)
      yield* sql`UPDATE messages m SET ${sql.literal(change("begin"))}, ticket = ${prepared.ticket},
          provider_id = batch."providerId", reason = NULL
        FROM json_to_recordset(${batch}::json) AS batch (number integer, "providerId" text)
        WHERE m.tenant_id = ${String(lease.tenantId)}::bigint AND m.job_id = ${lease.jobId} AND m.number = batch.number
          AND m.state IN (${sql.literal(fromStates("begin"))})`
      yield* saveQuota(lease.tenantId, spend(quota, prepared.taken.length, now))
      return "Begun" as const
    })

    const accept = Effect.fnUntraced(function*(tenantId: TenantId, mailing: NewMailing, limits: MessageLimits) {
      // Requests of one tenant take turns from here: neither a key nor the last of a day's messages is given out twice.
      const { now, ...quota } = yield* lockQuota(tenantId)
      const [known] = yield* decodeKnown(
        yield* sql`SELECT json_build_object('jobId', job_id, 'digest', digest, 'messages', messages) AS record
          FROM mailings WHERE tenant_id = ${String(tenantId)}::bigint AND business_key = ${mailing.businessKey}`
      )
      if (known !== undefined) {
        return known.digest === mailing.digest
          ? { _tag: "Known" as const, jobId: known.jobId, messages: known.messages }
          : yield* new BusinessKeyReused({ jobId: known.jobId })
      }
      const waiting = yield* decodeCount(
        yield* sql`SELECT json_build_object('count', count(*)) AS record
          FROM messages WHERE tenant_id = ${String(tenantId)}::bigint AND state = 'pending'`
      )
      const asked = mailing.recipients.length
      const left = leftToday(quota, limits, waiting[0]?.count ?? 0, now)
      if (asked > left) return yield* new DailyCapReached({ asked, left, until: nextSeoulDay(now) })
      return { _tag: "Created" as const, record: yield* create(tenantId, mailing, now) }
    })

    const resend = Effect.fnUntraced(function*(
      ref: JobRef,
      numbers: ReadonlyArray<number>,
      newJobId: JobId
    ) {
      const { job, now } = yield* lockedJob(sql, ref)
      const mailing = yield* mailingOf(ref)
      const named = yield* encodeNumbers(numbers)
      const again = isTerminal(job.status)
        ? yield* decodeMessages(
          yield* sql`UPDATE messages m SET state = 'failed', reason = ${`resent by ${newJobId}`}
            WHERE m.tenant_id = ${String(ref.tenantId)}::bigint AND m.job_id = ${ref.jobId}
              AND (m.state = 'pending' OR (m.state IN ('sending', 'ambiguous', 'failed') AND m.number IN (
                SELECT value::integer FROM json_array_elements_text(${named}::json)
              )))
            RETURNING ${sql.literal(columns)}`
        )
        : []
      if (again.length === 0) return yield* new NothingToResend({ jobId: ref.jobId })
      const { counts: _, ...kept } = mailing
      return yield* create(
        ref.tenantId,
        {
          ...kept,
          jobId: newJobId,
          businessKey: `resend:${newJobId}`,
          digest: "",
          recipients: again.toSorted((a, b) => a.number - b.number).map(({ address, text }) => ({ address, text }))
        },
        now
      )
    })

    return MessageLedger.of({
      accept: (tenantId, mailing, limits) =>
        transaction(
          "accept",
          `accept ${mailing.recipients.length} messages`,
          { tenantId, jobId: mailing.jobId },
          accept(tenantId, mailing, limits)
        ).pipe(Effect.map((accepted): Acceptance =>
            accepted._tag === "Known" ? accepted : { _tag: "Accepted", receipt: commit(accepted.record) })),

      look: (lease) =>
        transaction(
          "look",
          `read the messages of job "${lease.jobId}"`,
          lease,
          Effect.andThen(leasedJob(sql, lease), mailingOf(lease))
        ),

      unsettled: (lease) =>
        transaction(
          "unsettled",
          `find the open batches of job "${lease.jobId}"`,
          lease,
          Effect.gen(function*() {
            yield* leasedJob(sql, lease)
            const tickets = yield* decodeTickets(
              yield* sql`SELECT DISTINCT ON (ticket) json_build_object('ticket', ticket) AS record FROM messages
                WHERE tenant_id = ${String(lease.tenantId)}::bigint AND job_id = ${lease.jobId} AND state = 'sending'
                ORDER BY ticket`
            )
            return tickets.map(({ ticket }) => ticket)
          })
        ),

      next: (lease, max, limits) =>
        transaction(
          "next",
          `find the next messages of job "${lease.jobId}"`,
          lease,
          Effect.gen(function*() {
            yield* leasedJob(sql, lease)
            const { now, ...quota } = yield* lockQuota(lease.tenantId)
            const allowed = allowance(quota, limits, now)
            const most = allowed._tag === "Now" ? Math.min(max, allowed.messages) : 1
            const messages = yield* decodeMessages(
              yield* sql`SELECT ${sql.literal(columns)} FROM messages m
                WHERE m.tenant_id = ${String(lease.tenantId)}::bigint AND m.job_id = ${lease.jobId}
                  AND m.state = 'pending'
                ORDER BY m.number LIMIT ${String(most)}::bigint`
            )
            if (allowed._tag === "Wait" && messages.length > 0) return allowed
            const next: NextMessages = { _tag: "Next", messages: messages.map((row) => new LedgerMessage(row)) }
            return next
          })
        ),

      begin: (lease, prepared, limits) =>
        transaction(
          "begin",
          `note that messages of job "${lease.jobId}" are about to be sent`,
          lease,
          begin(lease, prepared, limits)
        ),

      settle: (lease, ticket, event, refused) =>
        transaction(
          "settle",
          `note what became of messages of job "${lease.jobId}"`,
          lease,
          Effect.gen(function*() {
            yield* leasedJob(sql, lease)
            yield* refuse(lease, refused)
            yield* sql`UPDATE messages SET ${sql.literal(change(event))}
              WHERE tenant_id = ${String(lease.tenantId)}::bigint AND job_id = ${lease.jobId} AND ticket = ${ticket}
                AND state IN (${sql.literal(fromStates(event))})`
          })
        ),

      list: (tenantId, jobId, states, limit) =>
        transaction(
          "list",
          `list the messages of job "${jobId}"`,
          { tenantId, jobId },
          Effect.gen(function*() {
            const mailing = yield* mailingOf({ tenantId, jobId })
            const wanted = states.map((state) => `'${state}'`).join(", ")
            const messages = states.length === 0 ? [] : yield* decodeMessages(
              yield* sql`SELECT ${sql.literal(columns)} FROM messages m
                WHERE m.tenant_id = ${String(tenantId)}::bigint AND m.job_id = ${jobId}
                  AND m.state IN (${sql.literal(wanted)})
                ORDER BY m.number LIMIT ${String(limit)}::bigint`
            )
            return { mailing, messages: messages.map((row) => new LedgerMessage(row)) }
          })
        ),

      decide: (tenantId, jobId, numbers, event) =>
        transaction(
          "decide",
          `settle messages of job "${jobId}" by hand`,
          { tenantId, jobId },
          Effect.gen(function*() {
            const { job } = yield* lockedJob(sql, { tenantId, jobId })
            const named = yield* encodeNumbers(numbers)
            const open = openStates(job.status).map((state) => `'${state}'`).join(", ")
            const changed = yield* decodeMessages(
              yield* sql`UPDATE messages m SET ${sql.literal(change(event))}
                WHERE m.tenant_id = ${String(tenantId)}::bigint AND m.job_id = ${jobId}
                  AND m.state IN (${sql.literal(open)})
                  AND m.number IN (SELECT value::integer FROM json_array_elements_text(${named}::json))
                RETURNING ${sql.literal(columns)}`
            )
            return changed.length
          })
        ),

      resend: (tenantId, jobId, numbers, newJobId) =>
        transaction(
          "resend",
          `send messages of job "${jobId}" again`,
          { tenantId, jobId },
          resend({ tenantId, jobId }, numbers, newJobId)
        ).pipe(Effect.map(commit)),

      purge: (endedMillisAgo) =>
        withinLimit(
          Effect.flatMap(
            sql`WITH old AS (
                SELECT l.tenant_id, l.job_id FROM mailings l
                JOIN jobs j ON j.tenant_id = l.tenant_id AND j.id = l.job_id
                WHERE NOT l.purged AND j.status NOT IN ('PENDING', 'VALIDATING', 'RUNNING', 'RETRYING')
                  AND j.updated_at <= ${sql.literal(clock)} - ${String(endedMillisAgo)}::bigint
              ), removed AS (
                DELETE FROM messages m USING old WHERE m.tenant_id = old.tenant_id AND m.job_id = old.job_id RETURNING 1
              ), marked AS (
                UPDATE mailings l SET purged = true, subject = NULL FROM old
                WHERE l.tenant_id = old.tenant_id AND l.job_id = old.job_id
              )
              SELECT json_build_object('count', count(*)) AS record FROM removed`,
            decodeCount
          )
        ).pipe(
          Effect.map(([found]) => found?.count ?? 0),
          unavailableWhen("remove old messages"),
          Effect.withSpan("MessageLedger.purge")
        )
    })
  })
)
