import type { Migration } from '../migrate.ts'

/**
 * What was said in sessions, what is known of them and of users. A turn is written once however often it comes; who was erased is
 * remembered by when, so that what comes late of before stays away.
 */
export const memory: Migration = {
  name: '021-memory',
  statements: [
    `create table session_turns (
      tenant text not null,
      session text not null,
      run_id text not null,
      role text not null,
      user_id text,
      text text not null,
      tokens integer,
      at_ms bigint not null,
      primary key (tenant, session, run_id, role)
    )`,
    `create index session_turns_newest on session_turns (tenant, session, at_ms)`,
    `create index session_turns_run on session_turns (tenant, run_id)`,
    `create index session_turns_user on session_turns (tenant, user_id) where user_id is not null`,
    `create table session_state (
      tenant text not null,
      session text not null,
      key text not null,
      value text not null,
      version bigint not null default 1,
      run_id text not null,
      user_id text,
      at_ms bigint not null,
      primary key (tenant, session, key)
    )`,
    `create table user_memories (
      tenant text not null,
      user_id text not null,
      id text not null,
      kind text not null,
      key text not null,
      value text not null,
      source text not null,
      said_by text not null,
      run_id text,
      at_ms bigint not null,
      expires_at_ms bigint,
      primary key (tenant, user_id, id)
    )`,
    `create table erased_users (
      tenant text not null,
      user_id text not null,
      at_ms bigint not null,
      said_by text not null,
      primary key (tenant, user_id)
    )`,
  ],
}
