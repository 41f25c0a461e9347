import type { Migration } from "./Migration.ts"

/**
 * The ledger of messages. What is personal stands in `messages` alone, whose rows go when their time is over; the mailing stays
 * as the record that its key was used.
 */
export const messages: Migration = {
  id: 7,
  name: "messages",
  statements: [
    `CREATE TABLE mailings (
      tenant_id bigint NOT NULL CHECK (tenant_id > 0),
      job_id text NOT NULL,
      business_key text NOT NULL,
      digest text NOT NULL,
      mode text NOT NULL CHECK (mode IN ('sms', 'lms', 'alimtalk', 'email')),
      subject text,
      template_id text,
      urgent_reason text,
      messages bigint NOT NULL CHECK (messages > 0),
      purged boolean NOT NULL DEFAULT false,
      PRIMARY KEY (tenant_id, job_id),
      FOREIGN KEY (tenant_id, job_id) REFERENCES jobs (tenant_id, id),
      CONSTRAINT mailings_are_one_by_key UNIQUE (tenant_id, business_key)
    )`,
    `CREATE TABLE messages (
      tenant_id bigint NOT NULL,
      job_id text NOT NULL,
      number integer NOT NULL CHECK (number > 0),
      address text NOT NULL CHECK (address <> ''),
      text text NOT NULL CHECK (text <> ''),
      state text NOT NULL CHECK (state IN ('pending', 'sending', 'sent', 'failed', 'ambiguous')),
      ticket text,
      provider_id text,
      reason text,
      PRIMARY KEY (tenant_id, job_id, number),
      FOREIGN KEY (tenant_id, job_id) REFERENCES mailings (tenant_id, job_id),
      CONSTRAINT messages_are_one_by_recipient UNIQUE (tenant_id, job_id, address),
      CONSTRAINT messages_waiting_have_no_ticket CHECK (state <> 'pending' OR ticket IS NULL),
      CONSTRAINT messages_on_their_way_have_a_ticket
        CHECK (state NOT IN ('sending', 'sent', 'ambiguous') OR ticket IS NOT NULL)
    )`,
    `CREATE INDEX messages_waiting ON messages (tenant_id, job_id, number) WHERE state = 'pending'`,
    `CREATE INDEX messages_unsettled ON messages (tenant_id, job_id, ticket) WHERE state IN ('sending', 'ambiguous')`,
    `CREATE INDEX mailings_kept ON mailings (tenant_id, job_id) WHERE NOT purged`,
    `CREATE TABLE message_quotas (
      tenant_id bigint PRIMARY KEY CHECK (tenant_id > 0),
      day bigint NOT NULL,
      day_count bigint NOT NULL CHECK (day_count >= 0),
      minute bigint NOT NULL,
      minute_count bigint NOT NULL CHECK (minute_count >= 0)
    )`
  ]
}
