import type { Migration } from '../migrate.ts'

/** Published plans: content by hash, versions by name, aliases that move. */
export const flows: Migration = {
  name: '005-flows',
  statements: [
    `create table plans (
      hash text not null,
      tenant text not null,
      body text not null,
      stored_at timestamptz not null default now(),
      primary key (hash, tenant)
    )`,
    `create table flow_versions (
      tenant text not null,
      flow text not null,
      version text not null,
      hash text not null,
      published_by text not null,
      published_at timestamptz not null default now(),
      primary key (tenant, flow, version)
    )`,
    `create table flow_aliases (
      tenant text not null,
      flow text not null,
      alias text not null,
      version text not null,
      moved_by text not null,
      moved_at timestamptz not null default now(),
      primary key (tenant, flow, alias)
    )`,
  ],
}
