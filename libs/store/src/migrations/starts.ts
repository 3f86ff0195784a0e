import type { Migration } from '../migrate.ts'

/** Which request became which run (L6). */
export const starts: Migration = {
  name: '003-starts',
  statements: [
    `create table starts (
      tenant text not null,
      source text not null,
      request_id text not null,
      run_id text not null,
      body_hash text not null,
      begun_at timestamptz not null default now(),
      primary key (tenant, source, request_id)
    )`,
    `create index starts_begun_at on starts using brin (begun_at)`,
  ],
}
