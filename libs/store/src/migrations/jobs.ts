import type { Migration } from '../migrate.ts'

/** Work on many runs at once, done page by page: what is asked for, how far it is, and who does it now. */
export const jobs: Migration = {
  name: '010-jobs',
  statements: [
    // `body` and `place` belong to whoever does the job; the store does not look inside.
    `create table jobs (
      number bigint generated always as identity primary key,
      tenant text not null,
      job_id text not null,
      kind text not null,
      body jsonb not null,
      made_by text not null,
      status text not null default 'running',
      place jsonb,
      matched bigint not null default 0,
      done bigint not null default 0,
      failed bigint not null default 0,
      fault_code text,
      fault_message text,
      owner_uuid text,
      expires_at timestamptz,
      created_at timestamptz not null default now(),
      changed_at timestamptz not null default now(),
      ended_at timestamptz,
      unique (tenant, job_id)
    ) with (fillfactor = 70)`,
    `create index jobs_running on jobs (number) where status = 'running'`,
    `create index jobs_ended on jobs (ended_at) where ended_at is not null`,
  ],
}
