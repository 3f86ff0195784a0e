import type { Migration } from '../migrate.ts'

/** Events that came with a key, until the run that waits for it is found, and a while longer so that a repeat is known. */
export const eventInbox: Migration = {
  name: '016-event-inbox',
  statements: [
    `create table event_inbox (
      tenant text not null,
      event_id text not null,
      event text not null,
      key text not null,
      data text not null,
      sent_by text,
      expires_at timestamptz not null,
      next_try_at timestamptz not null default now(),
      tries int not null default 0,
      run_id text,
      root_run_id text,
      delivered boolean not null default false,
      primary key (tenant, event_id)
    )`,
    `create index event_inbox_open on event_inbox (next_try_at) where not delivered`,
  ],
}
