import type { Migration } from '../migrate.ts'

/** Snapshots of runs (L3). The body is text: only the engine reads it, and PostgreSQL need not parse it. */
export const runs: Migration = {
  name: '001-runs',
  statements: [
    `create table run_states (
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
      updated_at timestamptz not null default now(),
      primary key (run_id, tenant)
    ) with (fillfactor = 80)`,
    // The only index beside the key: a change of any indexed column makes an update write every index anew.
    `create index run_states_timers on run_states (partition, wake_at_ms) where wake_at_ms is not null`,
  ],
}
