import type { Migration } from '../migrate.ts'

/** Where aliases were, and the params that were changed without a change of the flow. */
export const flowLifecycle: Migration = {
  name: '009-flow-lifecycle',
  statements: [
    // `back` is the move that a rollback of this one returns to.
    `create table flow_alias_moves (
      id bigint generated always as identity primary key,
      tenant text not null,
      flow text not null,
      alias text not null,
      version text not null,
      hash text not null,
      kind text not null,
      back bigint,
      moved_by text not null,
      reason text not null default '',
      moved_at timestamptz not null default now()
    )`,
    'create index flow_alias_moves_of on flow_alias_moves (tenant, flow, alias, id desc)',
    `insert into flow_alias_moves (tenant, flow, alias, version, hash, kind, moved_by, moved_at)
     select a.tenant, a.flow, a.alias, a.version, v.hash, 'publish', a.moved_by, a.moved_at
     from flow_aliases a join flow_versions v using (tenant, flow, version)`,
    // An empty tenant or environment means every one.
    `create table flow_params (
      flow text not null,
      tenant text not null,
      environment text not null,
      name text not null,
      value jsonb not null,
      primary key (flow, tenant, environment, name)
    )`,
    `create table flow_param_changes (
      id bigint generated always as identity primary key,
      flow text not null,
      tenant text not null,
      environment text not null,
      name text not null,
      old_value jsonb,
      new_value jsonb,
      changed_by text not null,
      reason text not null default '',
      changed_at timestamptz not null default now()
    )`,
    'create index flow_param_changes_of on flow_param_changes (flow, id desc)',
  ],
}
