// Nearest chunks, exactly: every chunk of the index is compared, by pgvector where the database has it, else here.
//   V1. Both ways give the same documents in the same order.
//   V2. Tenant, index and filter are part of the query: what does not fit is never compared.
import type { Database } from '@baton/store'
import { vectorText } from './embedder.ts'
import { filterParams, filterSql, isOpen, type DocumentFilter } from './filter.policy.ts'
import { bestOfEach, LIKENESS_FLOOR, type Likeness } from './fusion.policy.ts'

/** An index with vectors, as of now. */
type VectorIndex = { readonly id: string; readonly dimensions: number; readonly version: string }
type NearestQuery = {
  readonly index: VectorIndex
  /** One for each question drawn from the request. */
  readonly vectors: readonly Float32Array[]
  readonly filter: DocumentFilter
  readonly depth: number
}
/** Best document first, with its best chunk. */
export type VectorScan = (query: NearestQuery) => Promise<readonly Likeness[]>

/** More chunks than documents are asked for, because several of one document may be near. */
const CHUNKS_PER_DOCUMENT = 10

const NEAREST = `with asked as materialized (select v::vector as v from unnest($2::text[]) as t (v)),
  stored as materialized (
    select c.id, c.document_id, c.embedding::vector as v
    from search_chunks c join search_documents d on d.index_id = c.index_id and d.id = c.document_id
    where c.index_id = $1 and c.embedding is not null and ${filterSql('$4', '$5')}
  ),
  likened as materialized (select stored.id, stored.document_id, -(stored.v <#> asked.v) as likeness from stored cross join asked)
  select id, document_id, sum(power(greatest(0, likeness - ${LIKENESS_FLOOR}), 2)) as points, max(likeness) as cosine
  from likened group by id, document_id order by points desc, cosine desc limit $3`

type NearestRow = { readonly id: string; readonly document_id: string; readonly points: string | number; readonly cosine: string | number }

/** By pgvector. */
export const pgvectorScan =
  (db: Database): VectorScan =>
  async ({ index, vectors, filter, depth }) => {
    const asked = vectors.map((vector) => vectorText(vector, ['[', ']']))
    const { rows } = await db.query<NearestRow>(NEAREST, [index.id, asked, depth * CHUNKS_PER_DOCUMENT, ...filterParams(filter)], {
      name: 'index-nearest',
    })
    const scored = rows.map((row) => ({
      documentId: row.document_id,
      chunkId: String(row.id),
      points: Number(row.points),
      cosine: Number(row.cosine),
    }))
    return bestOfEach(scored, depth)
  }

/** Whether the database can compare vectors; makes the extension where it is allowed to. */
export const hasPgvector = async (db: Database): Promise<boolean> => {
  const { rows } = await db.query<{ there: boolean; possible: boolean }>(
    `select exists (select 1 from pg_extension where extname = 'vector') as there,
      exists (select 1 from pg_available_extensions where name = 'vector') as possible`,
  )
  const [found] = rows
  if (found === undefined || !found.possible) return false
  if (found.there) return true
  try {
    await db.query('create extension if not exists vector')
    return true
  } catch {
    return false // Its right to do so may be missing; the scan here gives the same.
  }
}

type Page = { readonly chunkIds: readonly string[]; readonly documentIds: readonly string[]; readonly matrix: Float32Array }
type Held = { readonly version: string; readonly pages: readonly Page[]; readonly bytes: number }

const PAGE_CHUNKS = 2_000
/** Vectors kept in memory, of all indexes together; an index beyond it is read anew by every search. */
const HELD_BYTES_MAX = 256 * 1024 * 1024

const readPage = async (db: Database, { id, dimensions }: VectorIndex, after: string): Promise<Page> => {
  const { rows } = await db.query<{ id: string; document_id: string; embedding: string }>(
    `select id, document_id, embedding::text as embedding from search_chunks
     where index_id = $1 and embedding is not null and id > $2 order by id limit $3`,
    [id, after, PAGE_CHUNKS],
  )
  const matrix = new Float32Array(rows.length * dimensions)
  for (const [at, { embedding }] of rows.entries()) matrix.set(embedding.slice(1, -1).split(',').map(Number), at * dimensions)
  return { chunkIds: rows.map((row) => String(row.id)), documentIds: rows.map((row) => row.document_id), matrix }
}

async function* pagesOf(db: Database, index: VectorIndex): AsyncGenerator<Page> {
  for (let after = '0'; ;) {
    const page = await readPage(db, index, after)
    if (page.chunkIds.length > 0) yield page
    if (page.chunkIds.length < PAGE_CHUNKS) return
    after = page.chunkIds.at(-1) ?? after
  }
}

const likenessOf = (matrix: Float32Array, from: number, vector: Float32Array): number => {
  let sum = 0
  for (let at = 0; at < vector.length; at++) sum += (matrix[from + at] ?? 0) * (vector[at] ?? 0)
  return sum
}

const scorePage = (page: Page, vectors: readonly Float32Array[], fits: (documentId: string) => boolean): readonly Likeness[] =>
  page.chunkIds.flatMap((chunkId, row) => {
    const documentId = page.documentIds[row] ?? ''
    if (!fits(documentId)) return [] // V2
    let points = 0
    let cosine = -1
    for (const vector of vectors) {
      const likeness = likenessOf(page.matrix, row * vector.length, vector)
      points += Math.max(0, likeness - LIKENESS_FLOOR) ** 2
      cosine = Math.max(cosine, likeness)
    }
    return [{ documentId, chunkId, points, cosine }]
  })

const fitting = async (db: Database, { id }: VectorIndex, filter: DocumentFilter): Promise<(documentId: string) => boolean> => {
  if (isOpen(filter)) return () => true
  const { rows } = await db.query<{ id: string }>(
    `select d.id from search_documents d where d.index_id = $1 and ${filterSql('$2', '$3')}`,
    [id, ...filterParams(filter)],
  )
  const ids = new Set(rows.map((row) => row.id))
  return (documentId) => ids.has(documentId)
}

/** In this process: the vectors are read once for each version of an index. */
export const exactScan = (db: Database, heldBytesMax: number = HELD_BYTES_MAX): VectorScan => {
  const held = new Map<string, Held>()
  const keep = (index: VectorIndex, entry: Held): void => {
    held.delete(index.id)
    if (entry.bytes > heldBytesMax) return
    held.set(index.id, entry)
    let total = [...held.values()].reduce((sum, { bytes }) => sum + bytes, 0)
    for (const [id, { bytes }] of held) {
      if (total <= heldBytesMax) break
      held.delete(id)
      total -= bytes
    }
  }
  async function* pages(index: VectorIndex): AsyncGenerator<Page> {
    const known = held.get(index.id)
    if (known?.version === index.version) {
      yield* known.pages
      return
    }
    const read: Page[] = []
    let bytes = 0
    for await (const page of pagesOf(db, index)) {
      bytes += page.matrix.byteLength
      if (bytes <= heldBytesMax) read.push(page)
      yield page
    }
    keep(index, { version: index.version, pages: read, bytes })
  }
  return async ({ index, vectors, filter, depth }) => {
    const fits = await fitting(db, index, filter)
    let best: readonly Likeness[] = []
    for await (const page of pages(index)) best = bestOfEach([...best, ...scorePage(page, vectors, fits)], depth)
    return best
  }
}

/** The scan that this database allows. */
export const vectorScanOf = async (db: Database): Promise<VectorScan> => ((await hasPgvector(db)) ? pgvectorScan(db) : exactScan(db))
