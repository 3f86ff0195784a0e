import type { Migration } from '@baton/store'

/** Reviews, and what is still to be published about them. `rank` orders priorities, 0 first. */
const reviews: Migration = {
  name: '001-reviews',
  statements: [
    `create table review_tasks (
      tenant text not null,
      task_id text not null,
      run_id text not null,
      attempt_id text not null,
      path text not null,
      flow text not null,
      queue text not null,
      priority text not null,
      rank smallint not null,
      title text not null,
      input text not null,
      fingerprint text not null,
      allowed text not null,
      result_schema text,
      sla_ms bigint not null,
      on_timeout text not null,
      answer_partition integer not null,
      created_at_ms bigint not null,
      due_at_ms bigint not null,
      status text not null,
      claimed_by text,
      claim_until_ms bigint,
      escalated boolean not null default false,
      decided_by text,
      verdict text,
      output text,
      reason text,
      decided_at_ms bigint,
      epoch integer not null,
      primary key (tenant, task_id)
    )`,
    `create index review_tasks_queue on review_tasks (tenant, rank, due_at_ms, task_id) where status in ('pending', 'claimed')`,
    `create index review_tasks_all on review_tasks (tenant, rank, due_at_ms, task_id)`,
    `create index review_tasks_due on review_tasks (due_at_ms) where status in ('pending', 'claimed')`,
    `create index review_tasks_run on review_tasks (tenant, run_id)`,
    `create table review_outbox (
      id bigint generated always as identity primary key,
      topic text not null,
      key text not null,
      partition integer,
      headers text not null,
      value text not null
    )`,
  ],
}

/** Withdrawals that came before what they withdraw. Few: both travel in order, so only a redelivery can part them. */
const withdrawals: Migration = {
  name: '002-review-withdrawals',
  statements: [
    `create table review_withdrawals (
      tenant text not null,
      task_id text not null,
      made_by text not null,
      at_ms bigint not null,
      primary key (tenant, task_id)
    )`,
    `create index review_withdrawals_time on review_withdrawals using brin (at_ms)`,
  ],
}

/** What is asked and why, as JSON: of what was opened before, that a step asked. */
const terms: Migration = {
  name: '003-review-terms',
  statements: [`alter table review_tasks add column terms text not null default '{"kind":"edit","reasons":[]}'`],
}

/** Tables of this service, in order. */
export const migrations: readonly Migration[] = [reviews, withdrawals, terms]
