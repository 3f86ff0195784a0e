import type { Migration } from '@baton/store'

/** Tickets, refunds and logged errors of the built-in tools. Each effect is in its table once, by its key (U3). */
export const support: Migration = {
  name: '001-support',
  statements: [
    `create table support_tickets (
      tenant text not null,
      id text not null,
      effect_key text not null,
      run_id text not null,
      subject text not null,
      body text not null,
      intent text,
      customer text,
      queue text not null,
      priority text not null,
      status text not null default 'open',
      created_at_ms bigint not null,
      primary key (tenant, id),
      unique (tenant, effect_key)
    )`,
    `create index support_tickets_newest on support_tickets (tenant, created_at_ms desc, id)`,
    `create index support_tickets_run on support_tickets (tenant, run_id)`,
    `create table billing_refunds (
      tenant text not null,
      ticket text not null,
      status text not null,
      amount_cents bigint,
      currency text,
      updated_at_ms bigint not null,
      primary key (tenant, ticket)
    )`,
    `create table ops_errors (
      tenant text not null,
      effect_key text not null,
      run_id text not null,
      flow text not null,
      path text not null,
      code text not null,
      message text not null,
      detail text not null,
      created_at_ms bigint not null,
      primary key (tenant, effect_key)
    )`,
    `create index ops_errors_newest on ops_errors (tenant, created_at_ms desc)`,
  ],
}
