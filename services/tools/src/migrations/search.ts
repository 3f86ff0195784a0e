import type { Migration } from '@baton/store'

/**
 * Documents, their chunks, and which stem is in which chunk how often. The stems are PostgreSQL's own ('english'); they lie in a table
 * because ranking needs to know how rare each is, which a text search index does not tell.
 */
export const search: Migration = {
  name: '002-search',
  statements: [
    `create table search_indexes (
      id bigint generated always as identity primary key,
      tenant text not null,
      name text not null,
      chunks bigint not null default 0,
      length double precision not null default 0,
      unique (tenant, name)
    )`,
    `create table search_documents (
      index_id bigint not null references search_indexes (id) on delete cascade,
      tenant text not null,
      id text not null,
      title text not null,
      meta text not null,
      content_hash text not null,
      added_at timestamptz not null default now(),
      primary key (index_id, id)
    )`,
    `create table search_chunks (
      id bigint generated always as identity primary key,
      index_id bigint not null,
      tenant text not null,
      document_id text not null,
      ordinal integer not null,
      text text not null,
      length double precision not null,
      unique (index_id, document_id, ordinal),
      foreign key (index_id, document_id) references search_documents (index_id, id) on delete cascade
    )`,
    `create table search_stems (
      index_id bigint not null,
      stem text collate "C" not null,
      chunk_id bigint not null,
      tenant text not null,
      weight real not null,
      length real not null,
      primary key (index_id, stem, chunk_id)
    )`,
    `create index search_stems_chunk on search_stems (chunk_id)`,
  ],
}
