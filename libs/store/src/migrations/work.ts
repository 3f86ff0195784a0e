import type { Migration } from '../migrate.ts'

/** Answers by attempt (L9), and intent and result around each effect (C4). */
export const work: Migration = {
  name: '006-work',
  statements: [
    `create table answers (
      attempt_id text not null,
      tenant text not null,
      body text not null,
      saved_at timestamptz not null default now(),
      primary key (attempt_id, tenant)
    )`,
    `create index answers_saved_at on answers using brin (saved_at)`,
    `create table effects (
      tenant text not null,
      key text not null,
      tool text not null,
      args_hash text not null,
      result text,
      begun_at timestamptz not null default now(),
      finished_at timestamptz,
      primary key (tenant, key)
    )`,
  ],
}
