// What an index holds: documents, their chunks, stems and vectors.
//   I1. Adding what is there already, unchanged, changes nothing; a changed document replaces its chunks in the same transaction.
//   I4. Vectors are made before the transaction, and only for what changed; a document is written with all of its vectors or not at all.
//   I5. A removed document is gone from every way of searching with the transaction that removes it.
import { canonicalJson, Fault, sha256, type JsonObject } from '@baton/contracts'
import type { Database, Queryable } from '@baton/store'
import { passagesOf, type Chunk } from './chunk.policy.ts'
import { vectorText, type Embedder, type Embedders } from './embedder.ts'

export type Document = {
  readonly id: string
  readonly title: string
  readonly text: string
  readonly meta?: JsonObject | undefined
  /** Where it came from, for citations and for removing what is no longer there: a path or an address. */
  readonly source?: string | undefined
  /** When its source changed last. */
  readonly sourceAtMs?: number | undefined
}
export type Added = { readonly added: number; readonly unchanged: number; readonly chunks: number }
/** An index as it is now. */
export type IndexRow = {
  readonly id: string
  readonly embedder: string | null
  readonly dimensions: number | null
  readonly version: string
}
/** A document as the index knows it. */
export type KnownDocument = {
  readonly id: string
  readonly title: string
  readonly hash: string
  readonly source: string | null
  readonly sourceAtMs: number | null
  readonly addedAtMs: number
}

/** Rises when documents are cut or read in another way: what is there already then counts as changed. */
const CUT = 2
/** Documents written in one statement. */
const BATCH_DOCUMENTS = 50

const hashOf = ({ title, text, meta }: Document, embedder: string | null): string =>
  sha256(canonicalJson({ title, text, meta: meta ?? {}, cut: CUT, ...(embedder === null ? {} : { embedder }) }))

/** The row of an index. */
const findIndex = async (db: Queryable, tenant: string, name: string): Promise<IndexRow | undefined> => {
  const { rows } = await db.query<IndexRow>(
    'select id, embedder, dimensions, version from search_indexes where tenant = $1 and name = $2',
    [tenant, name],
    { name: 'index-place' },
  )
  return rows[0]
}

/** The row of an index. Throws `index.unknown`. */
export const indexOf = async (db: Queryable, tenant: string, name: string): Promise<IndexRow> => {
  const row = await findIndex(db, tenant, name)
  if (row === undefined) throw new Fault('index.unknown', `no index is called ${name}; baton index add ${name} makes one`, { index: name })
  return row
}

const makeIndex = async (
  db: Database,
  { tenant, index, embedder }: { tenant: string; index: string; embedder?: Embedder },
): Promise<IndexRow> => {
  await db.query('insert into search_indexes (tenant, name) values ($1, $2) on conflict do nothing', [tenant, index])
  if (embedder !== undefined)
    await db.query('update search_indexes set embedder = $3, dimensions = $4 where tenant = $1 and name = $2 and embedder is null', [
      tenant,
      index,
      embedder.name,
      embedder.dimensions,
    ])
  const row = await indexOf(db, tenant, index)
  if (embedder !== undefined && row.embedder !== embedder.name)
    throw new Fault('request.conflicting', `${index} holds vectors of ${String(row.embedder)}; another model needs an index of its own`, {
      index,
    })
  return row
}

type Piece = Chunk & { readonly id: string; readonly title: string; readonly ordinal: number; readonly embedding: string | null }

const piecesOf = async (documents: readonly Document[], embedder: Embedder | undefined): Promise<readonly Piece[]> => {
  const pieces = documents.flatMap(({ id, title, text }) => {
    const passages = passagesOf(text)
    const chunks = passages.length === 0 ? [{ text: title, heading: '', before: '' }] : passages
    return chunks.map((chunk, ordinal) => ({ ...chunk, id, title, ordinal }))
  })
  if (embedder === undefined) return pieces.map((piece) => ({ ...piece, embedding: null }))
  const vectors = await embedder.embed(
    pieces.map(({ title, heading, before, text }) => [title, heading, before, text].filter((part) => part !== '').join('\n')),
  )
  return pieces.map((piece, at) => {
    const vector = vectors[at]
    if (vector?.length !== embedder.dimensions)
      throw new Fault('index.embedder_missing', `${embedder.name} gave a vector of another length`, { embedder: embedder.name })
    return { ...piece, embedding: vectorText(vector, ['{', '}']) }
  })
}

const changedOf = async (
  db: Queryable,
  { indexId, documents, embedder }: { indexId: string; documents: readonly Document[]; embedder: string | null },
): Promise<readonly Document[]> => {
  const { rows } = await db.query<{ id: string; content_hash: string }>(
    'select id, content_hash from search_documents where index_id = $1 and id = any($2::text[])',
    [indexId, documents.map(({ id }) => id)],
  )
  const known = new Map(rows.map((row) => [row.id, row.content_hash]))
  return documents.filter((document) => known.get(document.id) !== hashOf(document, embedder))
}

const dropChunks = (tx: Queryable, indexId: string, ids: readonly string[]): Promise<unknown> =>
  tx.query(
    `with gone as (delete from search_chunks where index_id = $1 and document_id = any($2::text[]) returning id)
     delete from search_stems where chunk_id in (select id from gone)`,
    [indexId, [...ids]],
  )

const writeChunks = (
  tx: Queryable,
  { indexId, tenant, pieces }: { indexId: string; tenant: string; pieces: readonly Piece[] },
): Promise<unknown> =>
  tx.query(
    `with given as materialized (
       select id, ordinal, text, heading, embedding,
         setweight(to_tsvector('english', title), 'A') || to_tsvector('english', concat_ws(' ', heading, before, text)) as stems
       from jsonb_to_recordset($3::jsonb) as c (id text, title text, ordinal integer, text text, heading text, before text, embedding text)
     ), weighed as materialized (
       select id, ordinal, lexeme, cardinality(positions) + cardinality(array_positions(weights, 'A')) as weight
       from given cross join lateral unnest(given.stems)
     ), lengths as materialized (
       select id, ordinal, sum(weight) as length from weighed group by id, ordinal
     ), made as (
       insert into search_chunks (index_id, tenant, document_id, ordinal, text, heading, length, embedding)
       select $1, $2, id, ordinal, text, heading, coalesce(length, 0), embedding::real[] from given left join lengths using (id, ordinal)
       returning id, document_id, ordinal, length
     )
     insert into search_stems (index_id, tenant, stem, chunk_id, weight, length)
     select $1, $2, w.lexeme, made.id, w.weight, made.length from made join weighed w on w.id = made.document_id and w.ordinal = made.ordinal`,
    [indexId, tenant, JSON.stringify(pieces)],
  )

const writeDocuments = (
  tx: Queryable,
  { indexId, tenant, documents, embedder }: { indexId: string; tenant: string; documents: readonly Document[]; embedder: string | null },
): Promise<unknown> => {
  const rows = documents.map((document) => ({
    id: document.id,
    title: document.title,
    meta: JSON.stringify(document.meta ?? {}),
    hash: hashOf(document, embedder),
    source: document.source ?? null,
    at: document.sourceAtMs ?? null,
  }))
  return tx.query(
    `insert into search_documents (index_id, tenant, id, title, meta, content_hash, source, source_at_ms)
     select $1, $2, d.id, d.title, d.meta, d.hash, d.source, d.at
     from jsonb_to_recordset($3::jsonb) as d (id text, title text, meta text, hash text, source text, at bigint)
     on conflict (index_id, id) do update set title = excluded.title, meta = excluded.meta, source = excluded.source,
       source_at_ms = excluded.source_at_ms, content_hash = excluded.content_hash,
       added_at = case when search_documents.content_hash = excluded.content_hash then search_documents.added_at else now() end
     where (search_documents.content_hash, search_documents.source, search_documents.source_at_ms)
       is distinct from (excluded.content_hash, excluded.source, excluded.source_at_ms)`,
    [indexId, tenant, JSON.stringify(rows)],
  )
}

const countAgain = async (tx: Queryable, indexId: string, changed: boolean): Promise<number> => {
  const { rows } = await tx.query<{ chunks: string }>(
    changed
      ? `update search_indexes set chunks = counted.chunks, length = counted.length, version = version + 1, changed_at = now()
         from (select count(*) as chunks, coalesce(sum(length), 0) as length from search_chunks where index_id = $1) as counted
         where id = $1 returning counted.chunks as chunks`
      : 'select chunks from search_indexes where id = $1',
    [indexId],
  )
  return Number(rows[0]?.chunks ?? 0)
}

const lockIndex = async (tx: Queryable, { id, name }: { id: string; name: string }): Promise<void> => {
  const { rows } = await tx.query('select id from search_indexes where id = $1 for update', [id])
  if (rows.length === 0) throw new Fault('index.unknown', `the index ${name} is gone`, { index: name })
}

export type AddOptions = {
  readonly tenant: string
  readonly index: string
  readonly documents: readonly Document[]
  /** Name of the embedding model. An index that has one keeps it, and it need not be named again. */
  readonly embed?: string | undefined
}

/** Adds documents; makes the index when it is new. */
export const addDocuments = async (db: Database, embedders: Embedders, { tenant, index, documents, embed }: AddOptions): Promise<Added> => {
  const wanted = embed ?? (await findIndex(db, tenant, index))?.embedder ?? undefined
  const embedder = wanted === undefined ? undefined : await embedders(wanted)
  const { id: indexId, embedder: name } = await makeIndex(db, { tenant, index, ...(embedder === undefined ? {} : { embedder }) })
  // The last of two documents with one id counts: one statement cannot write a row twice.
  const unique = [...new Map(documents.map((document) => [document.id, document])).values()]
  let added = 0
  let chunks = 0
  for (let from = 0; from < Math.max(1, unique.length); from += BATCH_DOCUMENTS) {
    const batch = unique.slice(from, from + BATCH_DOCUMENTS)
    const pieces = await piecesOf(await changedOf(db, { indexId, documents: batch, embedder: name }), embedder) // I4
    const made = new Set(pieces.map(({ id }) => id))
    const written = await db.transaction(async (tx) => {
      await lockIndex(tx, { id: indexId, name: index })
      // Somebody else may have written some of them meanwhile. Only what still differs is replaced (I1).
      const changed = new Set(
        (await changedOf(tx, { indexId, documents: batch, embedder: name })).map(({ id }) => id).filter((id) => made.has(id)),
      )
      await writeDocuments(tx, { indexId, tenant, documents: batch.filter(({ id }) => changed.has(id) || !made.has(id)), embedder: name })
      if (changed.size > 0) {
        await dropChunks(tx, indexId, [...changed])
        await writeChunks(tx, { indexId, tenant, pieces: pieces.filter(({ id }) => changed.has(id)) })
      }
      return { added: changed.size, chunks: await countAgain(tx, indexId, changed.size > 0) }
    })
    added += written.added
    ;({ chunks } = written)
  }
  return { added, unchanged: unique.length - added, chunks }
}

/** Removes documents by id; says how many there were. */
export const removeDocuments = async (
  db: Database,
  { tenant, index, ids }: { tenant: string; index: string; ids: readonly string[] },
): Promise<{ readonly removed: number; readonly chunks: number }> => {
  const { id: indexId } = await indexOf(db, tenant, index)
  return db.transaction(async (tx) => {
    await lockIndex(tx, { id: indexId, name: index })
    await dropChunks(tx, indexId, ids) // I5
    const { rowCount } = await tx.query('delete from search_documents where index_id = $1 and id = any($2::text[])', [indexId, [...ids]])
    return { removed: rowCount, chunks: await countAgain(tx, indexId, rowCount > 0) }
  })
}

/** Removes an index with all it holds. */
export const dropIndex = async (db: Database, { tenant, index }: { tenant: string; index: string }): Promise<void> => {
  const { id } = await indexOf(db, tenant, index)
  await db.transaction(async (tx) => {
    await tx.query('delete from search_stems where index_id = $1', [id])
    await tx.query('delete from search_indexes where id = $1', [id])
  })
}

/** Documents of an index by id, a page at a time. */
export const knownDocuments = async (
  db: Database,
  { tenant, index, after, limit, source }: { tenant: string; index: string; after?: string; limit: number; source?: string },
): Promise<readonly KnownDocument[]> => {
  const { id } = await indexOf(db, tenant, index)
  const { rows } = await db.query<{
    id: string
    title: string
    content_hash: string
    source: string | null
    source_at_ms: string | null
    added_at_ms: string
  }>(
    `select id, title, content_hash, source, source_at_ms, (extract(epoch from added_at) * 1000)::bigint as added_at_ms
     from search_documents where index_id = $1 and id collate "C" > $2 and ($4::text is null or starts_with(source, $4::text))
     order by id collate "C" limit $3`,
    [id, after ?? '', limit, source ?? null],
  )
  return rows.map((row) => ({
    id: row.id,
    title: row.title,
    hash: row.content_hash,
    source: row.source,
    sourceAtMs: row.source_at_ms === null ? null : Number(row.source_at_ms),
    addedAtMs: Number(row.added_at_ms),
  }))
}
