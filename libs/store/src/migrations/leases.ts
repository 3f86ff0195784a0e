import type { Migration } from '../migrate.ts'

/** Ownership of the partitions of the run log (L4, L5, L10). They belong to the installation, not to a tenant. */
export const leases: Migration = {
  name: '002-leases',
  statements: [
    `create table installations (
      prefix text primary key,
      partitions int not null,
      engine_version int not null,
      installed_at timestamptz not null default now()
    )`,
    `create table log_partitions (
      prefix text not null,
      partition int not null,
      topic_id text not null,
      next bigint not null default 0,
      epoch bigint not null default 0,
      owner_uuid text,
      expires_at timestamptz,
      suspect_offset bigint,
      crash_count int not null default 0,
      primary key (prefix, partition)
    ) with (fillfactor = 50)`,
  ],
}
