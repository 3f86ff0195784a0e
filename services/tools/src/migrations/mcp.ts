import type { Migration } from '@baton/store'

/** What the tools of MCP servers were when somebody accepted them, and what they are now. Acceptances are kept for good. */
export const mcp: Migration = {
  name: '006-mcp',
  statements: [
    `create table mcp_tools (
      server text not null,
      principal text not null,
      tool text not null,
      accepted text,
      accepted_definition text,
      accepted_by text,
      accepted_at_ms bigint,
      seen text not null,
      seen_definition text not null,
      seen_at_ms bigint not null,
      primary key (server, principal, tool)
    )`,
    `create table mcp_acceptances (
      id bigint generated always as identity primary key,
      server text not null,
      principal text not null,
      tool text not null,
      fingerprint text not null,
      before text,
      by text not null,
      at_ms bigint not null
    )`,
    `create index mcp_acceptances_tool on mcp_acceptances (server, tool, id desc)`,
  ],
}
