import type { Migration } from '@baton/store'

/** How often and for how much tools were called in the present windows, and the whole of what agents got cut. */
export const permissions: Migration = {
  name: '003-permissions',
  statements: [
    `create table tool_uses (
      tenant text not null,
      limit_id text not null,
      effect_key text not null,
      until_ms bigint not null,
      primary key (tenant, limit_id, effect_key)
    )`,
    `create index tool_uses_until on tool_uses (until_ms)`,
    `create table tool_limits (
      tenant text not null,
      limit_id text not null,
      owner text not null,
      start_ms bigint not null,
      until_ms bigint not null,
      calls bigint not null,
      spent double precision not null,
      primary key (tenant, limit_id, owner, start_ms)
    )`,
    `create table tool_results (
      tenant text not null,
      root_run_id text not null,
      id text not null,
      tool text not null,
      content text not null,
      created_at_ms bigint not null,
      primary key (tenant, root_run_id, id)
    )`,
    `create index tool_results_age on tool_results (created_at_ms)`,
  ],
}
