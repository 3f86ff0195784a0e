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

const OPEN = `status in ('pending', 'claimed', 'escalated')`

/**
 * The engine of tasks: priorities as numbers (`rank` is 100 less urgency, so that 0 still comes first), what people have done so far as
 * JSON (`progress`), and one column for whichever clock rings next (null in rows of an older binary: then it is the due time).
 */
const engine: Migration = {
  name: '004-review-engine',
  statements: [
    `alter table review_tasks
      add column urgency smallint not null default 50,
      add column kind text not null default 'edit',
      add column node_id text not null default '',
      add column assignee text,
      add column progress text not null default '{}',
      add column next_at_ms bigint`,
    `update review_tasks set urgency = case priority when 'emergency' then 100 when 'high' then 75 when 'normal' then 50 when 'low' then 25 else 0 end`,
    `update review_tasks set rank = 100 - urgency, kind = coalesce(terms::jsonb ->> 'kind', 'edit')`,
    `drop index review_tasks_queue`,
    `drop index review_tasks_due`,
    `create index review_tasks_open on review_tasks (tenant, rank, due_at_ms, task_id) where ${OPEN}`,
    `create index review_tasks_open_queue on review_tasks (tenant, queue, rank, due_at_ms, task_id) where ${OPEN}`,
    `create index review_tasks_next on review_tasks (coalesce(next_at_ms, due_at_ms)) where ${OPEN}`,
    `create index review_tasks_held on review_tasks (next_at_ms) where status = 'decided' and next_at_ms is not null`,
  ],
}

/** What people write beside a decision: comments for everybody, one draft for oneself. */
const notes: Migration = {
  name: '005-review-notes',
  statements: [
    `create table review_comments (
      id bigint generated always as identity primary key,
      tenant text not null,
      task_id text not null,
      made_by text not null,
      at_ms bigint not null,
      body text not null
    )`,
    `create index review_comments_task on review_comments (tenant, task_id, id)`,
    `create table review_drafts (
      tenant text not null,
      task_id text not null,
      made_by text not null,
      at_ms bigint not null,
      body text not null,
      primary key (tenant, task_id, made_by)
    )`,
  ],
}

/** What decisions say about the work, kept longer than the reviews; and signatures, each with the hash of the one before. */
const records: Migration = {
  name: '006-review-records',
  statements: [
    `create table review_scores (
      tenant text not null,
      task_id text not null,
      run_id text not null,
      flow text not null,
      path text not null,
      node_id text not null,
      kind text not null,
      route text not null,
      confidence double precision,
      share double precision not null,
      automatic boolean not null,
      verdict text not null,
      score double precision not null,
      made_by text not null,
      took_ms bigint not null,
      at_ms bigint not null,
      primary key (tenant, task_id)
    )`,
    `create index review_scores_time on review_scores (tenant, at_ms)`,
    `create table review_audit_heads (tenant text primary key, n bigint not null, before text not null, hash text not null)`,
    `create table review_audit (
      tenant text not null,
      n bigint not null,
      body text not null,
      before text not null,
      hash text not null,
      primary key (tenant, n)
    )`,
    `create function review_audit_keep() returns trigger language plpgsql as $keep$
      begin raise exception 'signatures are only ever added'; end $keep$`,
    `create trigger review_audit_keep before update or delete on review_audit for each row execute function review_audit_keep()`,
    `create trigger review_audit_keep_all before truncate on review_audit for each statement execute function review_audit_keep()`,
  ],
}

/** Bodies on their way to addresses outside, and links that can be used once. */
const reach: Migration = {
  name: '007-review-reach',
  statements: [
    `create table review_notices (
      id bigint generated always as identity primary key,
      tenant text not null,
      hook text not null,
      event_id text not null,
      body text not null,
      tries integer not null default 0,
      next_at_ms bigint not null,
      status text not null default 'waiting',
      problem text,
      unique (tenant, hook, event_id)
    )`,
    `create index review_notices_next on review_notices (next_at_ms) where status = 'waiting'`,
    `create table review_links (
      jti text primary key,
      tenant text not null,
      task_id text not null,
      made_for text not null,
      expires_at_ms bigint not null,
      used_at_ms bigint
    )`,
    `create table review_secrets (name text primary key, secret text not null)`,
  ],
}

/** Tables of this service, in order. */
export const migrations: readonly Migration[] = [reviews, withdrawals, terms, engine, notes, records, reach]
