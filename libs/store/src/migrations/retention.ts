import type { Migration } from '../migrate.ts'

/** Where runs go that ended, a partition for each day on which they were moved; and what retention needs to know of the rest. */
export const retention: Migration = {
  name: '013-retention',
  statements: [
    `create table ended_runs (
      run_id text not null,
      tenant text not null,
      partition int not null,
      status text not null,
      wake_at_ms bigint,
      seq bigint not null,
      applied_offset bigint not null,
      format_version int not null,
      engine_version int not null,
      body text not null,
      updated_at timestamptz not null,
      moved_on date not null default (now() at time zone 'utc')::date,
      primary key (run_id, tenant, moved_on)
    ) partition by range (moved_on)`,
    // For a day that nobody made a partition for.
    `create table ended_runs_default partition of ended_runs default`,
    // Not indexed, so that touching a row leaves every index as it is.
    `alter table payloads add column touched_at timestamptz not null default now()`,
    `alter table effects add column touched_at timestamptz not null default now()`,
    `create index effects_begun_at on effects using brin (begun_at)`,
    // Work of the whole installation that one process does at a time, on the database's clock.
    `create table upkeep (
      name text primary key,
      owner_uuid text,
      expires_at timestamptz,
      done_at timestamptz
    )`,
  ],
}
