import type { Migration } from '../migrate.ts'

/** Budgets with their slices, rates, places, rests and answers that may be used again. Amounts are micro-dollars. */
export const modelMoney: Migration = {
  name: '020-model-money',
  statements: [
    `create table budgets (
      key text not null,
      start_ms bigint not null,
      cap bigint not null,
      settled bigint not null default 0,
      leased bigint not null default 0,
      lost bigint not null default 0,
      wanted_at timestamptz,
      primary key (key, start_ms)
    )`,
    'create index budgets_by_start on budgets (start_ms)',
    `create table budget_slices (
      slice_id text primary key,
      key text not null,
      start_ms bigint not null,
      holder text not null,
      amount bigint not null,
      spent bigint not null default 0,
      expires_at timestamptz not null
    )`,
    'create index budget_slices_by_budget on budget_slices (key, start_ms)',
    `create table limit_buckets (
      key text primary key,
      tokens double precision not null,
      granted double precision not null,
      filled_at timestamptz not null
    )`,
    'create table limit_gates (key text primary key)',
    `create table limit_places (
      key text not null,
      holder text not null,
      places int not null,
      expires_at timestamptz not null,
      primary key (key, holder)
    )`,
    `create table cooldowns (
      key text primary key,
      until_at timestamptz not null,
      reason text not null,
      by text not null
    )`,
    `create table model_cache (
      tenant text not null,
      key text not null,
      body text not null,
      expires_at timestamptz not null,
      primary key (tenant, key)
    )`,
    'create index model_cache_by_expiry on model_cache (expires_at)',
  ],
}
