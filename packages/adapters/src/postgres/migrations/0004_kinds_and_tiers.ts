import type { Migration } from "./Migration.ts"

/** The kinds of job beside encodes and imports, and which workers a job is for. */
export const kindsAndTiers: Migration = {
  id: 4,
  name: "kinds and tiers",
  statements: [
    `ALTER TABLE jobs DROP CONSTRAINT jobs_kind_check`,
    `ALTER TABLE jobs ADD CONSTRAINT jobs_kind_check
      CHECK (kind IN ('video_encode', 'student_import', 'messaging', 'ocr'))`,
    `ALTER TABLE jobs ADD COLUMN tier text NOT NULL DEFAULT 'basic' CHECK (tier IN ('lite', 'basic', 'premium'))`
  ]
}
