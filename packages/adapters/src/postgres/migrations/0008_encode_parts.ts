import type { Migration } from "./Migration.ts"

/**
 * Encodes in the making. No foreign key leads to videos: an encode outlives its video until the objects that it wrote
 * have been removed.
 */
export const encodeParts: Migration = {
  id: 8,
  name: "encode parts",
  statements: [
    `CREATE TABLE encodes (
      tenant_id bigint NOT NULL CHECK (tenant_id > 0),
      video_id bigint NOT NULL,
      key text NOT NULL,
      token text NOT NULL,
      published jsonb,
      published_by text,
      touched_at bigint NOT NULL,
      PRIMARY KEY (tenant_id, video_id, key),
      CONSTRAINT encodes_publish_for_a_job CHECK ((published IS NULL) = (published_by IS NULL))
    )`,
    "CREATE INDEX encodes_by_rest ON encodes (touched_at)",
    `CREATE TABLE encode_parts (
      tenant_id bigint NOT NULL,
      video_id bigint NOT NULL,
      key text NOT NULL,
      part text NOT NULL,
      claim integer NOT NULL CHECK (claim > 0),
      owner text NOT NULL,
      lease_until bigint NOT NULL,
      files jsonb,
      PRIMARY KEY (tenant_id, video_id, key, part),
      FOREIGN KEY (tenant_id, video_id, key) REFERENCES encodes (tenant_id, video_id, key) ON DELETE CASCADE
    )`
  ]
}
