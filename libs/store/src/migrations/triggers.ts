import type { Migration } from '../migrate.ts'

/** What is remembered of the triggers of flows: which are paused, when a schedule is due, where a topic began, what came of it last. */
export const triggers: Migration = {
  name: '012-triggers',
  statements: [
    // `begins_at` says where the topic stood when the trigger was made; records before it are none of its business.
    `create table flow_triggers (
      id text primary key,
      tenant text not null,
      flow text not null,
      plan_hash text not null,
      kind text not null,
      subject text not null,
      paused boolean not null default false,
      paused_by text,
      next_due_ms bigint,
      claimed_until timestamptz,
      begins_at jsonb,
      last_run_id text,
      last_run_at timestamptz,
      last_error text,
      last_error_at timestamptz,
      made_at timestamptz not null default now()
    )`,
    'create index flow_triggers_of on flow_triggers (tenant, flow)',
    // A method and path belong to one flow.
    `create unique index flow_triggers_http on flow_triggers (tenant, subject) where kind = 'http'`,
  ],
}
