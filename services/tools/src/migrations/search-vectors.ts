import type { Migration } from '@baton/store'

/**
 * Vectors beside the stems, and where a document came from. Vectors are plain arrays, so that a database without pgvector holds and
 * restores them; where pgvector is, they are cast when they are compared. `version` rises with every change: who keeps vectors in memory
 * sees by it that they are old.
 */
export const searchVectors: Migration = {
  name: '005-search-vectors',
  statements: [
    `alter table search_indexes add column embedder text, add column dimensions integer, add column version bigint not null default 0,
      add column changed_at timestamptz not null default now()`,
    `alter table search_documents add column source text, add column source_at_ms bigint`,
    `alter table search_chunks add column heading text not null default '', add column embedding real[]`,
    `create index search_chunks_embedded on search_chunks (index_id, id) where embedding is not null`,
  ],
}
