import type { Migration } from "./Migration.ts"

/** What an encode found beside its stream: kept with the video, whose last good output it describes. */
export const encodeReports: Migration = {
  id: 5,
  name: "encode reports",
  statements: [
    `ALTER TABLE videos
      ADD COLUMN storyboard_path text,
      ADD COLUMN non_standard_input_reasons jsonb NOT NULL DEFAULT '[]',
      ADD COLUMN rules jsonb`
  ]
}
