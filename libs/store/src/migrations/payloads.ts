import type { Migration } from '../migrate.ts'

/** Content by its hash, never shared between tenants. */
export const payloads: Migration = {
  name: '004-payloads',
  statements: [
    `create table payloads (
      tenant text not null,
      sha256 text not null,
      media_type text not null,
      size_bytes bigint not null,
      content bytea not null,
      stored_at timestamptz not null default now(),
      primary key (tenant, sha256)
    )`,
    `create index payloads_stored_at on payloads using brin (stored_at)`,
  ],
}
