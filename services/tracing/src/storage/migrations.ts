import type { Migration } from '@baton/store'

// Partitioned by time, so that retention drops a table instead of deleting rows. What nobody made a partition for goes to the default one.
const partitioned = (table: string, column: string): readonly string[] => [
  `create table ${table}_default partition of ${table} default`,
  `comment on table ${table} is 'partitioned by ${column}'`,
]

/** One row a run. Written when it starts and when it ends, in any order. */
const traceRuns: Migration = {
  name: '001-trace-runs',
  statements: [
    `create table trace_runs (
      requested_at_ms bigint not null,
      tenant text not null,
      run_id text not null,
      flow text not null,
      version text not null,
      status text not null,
      plan_hash text,
      request_id text,
      source text,
      priority text,
      labels jsonb,
      started_at_ms bigint,
      ended_at_ms bigint,
      latency_ms double precision,
      working_ms double precision,
      waited_ms double precision,
      cost_micro_usd bigint,
      steps int,
      escalated boolean,
      fault_code text,
      fault_message text,
      primary key (run_id, tenant, requested_at_ms)
    ) partition by range (requested_at_ms)`,
    `create index trace_runs_time on trace_runs (tenant, requested_at_ms, run_id)`,
    `create index trace_runs_flow on trace_runs (tenant, flow, requested_at_ms, run_id)`,
    `create index trace_runs_unusual on trace_runs (tenant, requested_at_ms, run_id) where status <> 'completed'`,
    `create index trace_runs_labels on trace_runs using gin (labels jsonb_path_ops) where labels <> '{}'::jsonb`,
    ...partitioned('trace_runs', 'requested_at_ms'),
  ],
}

/** What happened to the attempts of steps: a row for each state that was seen, never changed. The newest tells. */
const traceSteps: Migration = {
  name: '002-trace-steps',
  statements: [
    `create table trace_steps (
      at_ms bigint not null,
      tenant text not null,
      run_id text not null,
      seq int not null,
      path text not null,
      attempt int not null,
      kind text not null,
      status text not null,
      model text,
      latency_ms double precision,
      cost_micro_usd bigint,
      error_code text,
      facts text not null,
      primary key (run_id, tenant, seq, at_ms)
    ) partition by range (at_ms)`,
    ...partitioned('trace_steps', 'at_ms'),
  ],
}

/** Decisions, waits, ignored answers and what happened to reviews. */
const traceEvents: Migration = {
  name: '003-trace-events',
  statements: [
    `create table trace_events (
      at_ms bigint not null,
      tenant text not null,
      run_id text not null,
      id text not null,
      name text not null,
      path text,
      attempt_id text,
      made_by text,
      detail text,
      primary key (run_id, tenant, id, at_ms)
    ) partition by range (at_ms)`,
    ...partitioned('trace_events', 'at_ms'),
  ],
}

/** The result of a run as it was published, for whoever asks again (L6). */
const traceResults: Migration = {
  name: '004-trace-results',
  statements: [
    `create table trace_results (
      run_id text not null,
      tenant text not null,
      body text not null,
      stored_at timestamptz not null default now(),
      primary key (run_id, tenant)
    )`,
    `create index trace_results_stored_at on trace_results using brin (stored_at)`,
  ],
}

/** Which run started a run, which one is at the top of its tree, and which one it runs again. */
const runTree: Migration = {
  name: '005-run-tree',
  statements: [
    `alter table trace_runs add column parent_run_id text, add column root_run_id text, add column rerun_of text`,
    `create index trace_runs_parent on trace_runs (tenant, parent_run_id, requested_at_ms, run_id) where parent_run_id is not null`,
    `create index trace_runs_root on trace_runs (tenant, root_run_id, requested_at_ms, run_id) where root_run_id is not null`,
    `create index trace_runs_rerun on trace_runs (tenant, rerun_of) where rerun_of is not null`,
  ],
}

/** Runs that were ever paused, with the newest word on it: apart from the run, whose row may come later. */
const traceHolds: Migration = {
  name: '006-trace-holds',
  statements: [
    `create table trace_holds (
      run_id text not null,
      tenant text not null,
      seq int not null,
      at_ms bigint not null,
      paused boolean not null,
      made_by text not null,
      primary key (run_id, tenant)
    )`,
    `create index trace_holds_paused on trace_holds (tenant, run_id) where paused`,
    `create index trace_holds_time on trace_holds using brin (at_ms)`,
  ],
}

/** Steps that wait for an event by a key, for whoever has the event and not the run. A row stays when the wait is over. */
const traceWaits: Migration = {
  name: '007-trace-waits',
  statements: [
    `create table trace_waits (
      run_id text not null,
      tenant text not null,
      seq int not null,
      at_ms bigint not null,
      path text not null,
      event text not null,
      key text not null,
      primary key (tenant, event, key, run_id, seq)
    )`,
    `create index trace_waits_time on trace_waits using brin (at_ms)`,
  ],
}

/** Tables of this service, in order. */
export const migrations: readonly Migration[] = [traceRuns, traceSteps, traceEvents, traceResults, runTree, traceHolds, traceWaits]
