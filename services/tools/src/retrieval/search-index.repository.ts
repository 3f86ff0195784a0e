// Search indexes over the database: by words, by meaning, and by both.
// Measured on 49 requests over 698 policy documents, recall at 10: words as one question 0.23, words sentence by sentence 0.32, meaning
// 0.32, both 0.36; `node scripts/bench-tools.mjs` measures it again.
//   I2. By both, the two orders are put together by reciprocal rank fusion. A request of several sentences adds a third: documents like
//       the best ones of the first two, for what belongs together is described alike.
//   I3. `score` is the relevance, 0 to 1 (relevance.policy.ts).
//   I6. A way that an index does not have is a fault, never another way in silence.
import { Fault, type JsonObject } from '@baton/contracts'
import type { Database } from '@baton/store'
import { noEmbedders, type Embedders } from './embedder.ts'
import { NO_FILTER, type DocumentFilter } from './filter.policy.ts'
import { fuse, type Likeness } from './fusion.policy.ts'
import { relevanceOf, type Reasons } from './relevance.policy.ts'
import { QUERY_CHARS_MAX, sentencesOf, windowsOf } from './request.policy.ts'
import {
  addDocuments,
  dropIndex,
  indexOf,
  knownDocuments,
  removeDocuments,
  type Added,
  type AddOptions,
  type IndexRow,
  type KnownDocument,
} from './search-documents.repository.ts'
import { searchAlike, searchText, type TextHit } from './text-search.ts'
import { exactScan, type VectorScan } from './vector-scan.ts'

export { QUERY_CHARS_MAX } from './request.policy.ts'
export type { Added, Document } from './search-documents.repository.ts'

/** A passage that was found: the best chunk of its document. `source` and `heading` are for citing it. */
export type Passage = {
  readonly id: string
  readonly title: string
  readonly text: string
  readonly score: number
  readonly rank: number
  readonly source: string
  readonly heading: string
  readonly meta: JsonObject
  /** When its source changed last; null where that is not known. */
  readonly at: number | null
}

/** How is searched: by words, by meaning, or by both. */
type SearchMode = 'text' | 'vector' | 'hybrid'
export type SearchOptions = {
  readonly tenant: string
  readonly index: string
  readonly query: string
  readonly top: number
  /** Absent: both where the index has vectors, else words. */
  readonly mode?: SearchMode | undefined
  readonly filter?: DocumentFilter | undefined
  /** Weights of the two orders. */
  readonly weights?: { readonly text?: number | undefined; readonly vector?: number | undefined } | undefined
  readonly signal?: AbortSignal
}
type IndexSummary = {
  readonly name: string
  readonly documents: number
  readonly chunks: number
  readonly embedder: string | null
  readonly changedAtMs: number
}

export type SearchIndex = {
  /** Makes the index when it is new. */
  add(options: AddOptions): Promise<Added>
  /** Best first, one passage a document. Throws `index.unknown`. */
  search(options: SearchOptions): Promise<readonly Passage[]>
  /** Why each passage was found, for fitting the score. */
  reasons(options: SearchOptions): Promise<readonly Reasons[]>
  remove(options: { tenant: string; index: string; ids: readonly string[] }): Promise<{ readonly removed: number; readonly chunks: number }>
  drop(options: { tenant: string; index: string }): Promise<void>
  documents(options: { tenant: string; index: string; after?: string; limit: number; source?: string }): Promise<readonly KnownDocument[]>
  list(tenant: string): Promise<readonly IndexSummary[]>
}

/** Documents that each order gives before they are put together. */
const DEPTH = 100
/** The best documents whose openings make the third order, and its weight. */
const FEEDBACK = { documents: 5, weight: 0.5 } as const

type Parts = { readonly db: Database; readonly embedders: Embedders; readonly scan: VectorScan }
type Asked = Required<Pick<SearchOptions, 'query' | 'top'>> & {
  readonly mode: SearchMode
  readonly filter: DocumentFilter
  readonly depth: number
}

const vectorIndexOf = ({ id, dimensions, version }: IndexRow) => ({ id, dimensions: dimensions ?? 0, version })

/** The documents that were found, best first, with the chunk and the reasons. */
type Hit = { readonly id: string; readonly chunkId: string; readonly reasons: Reasons }

const hitsOf = (ids: readonly string[], words: readonly TextHit[], meanings: readonly Likeness[], withVectors: boolean): readonly Hit[] => {
  const byWords = new Map(words.map((hit, at) => [hit.documentId, { ...hit, at }]))
  const byMeaning = new Map(meanings.map((hit, at) => [hit.documentId, { ...hit, at }]))
  return ids.flatMap((id) => {
    const text = byWords.get(id)
    const meant = byMeaning.get(id)
    const nearer = text === undefined || (meant !== undefined && meant.at < text.at) ? meant : text
    if (nearer === undefined) return []
    const reasons = { share: text?.share ?? 0, cosine: withVectors ? (meant?.cosine ?? 0) : undefined }
    return [{ id, chunkId: nearer.chunkId, reasons }]
  })
}

const findHits = async (
  parts: Parts,
  index: IndexRow,
  asked: Asked & Pick<SearchOptions, 'weights' | 'signal'>,
): Promise<readonly Hit[]> => {
  const sentences = sentencesOf(asked.query)
  const { mode, filter, depth, weights } = asked
  const place = { indexId: index.id, depth, filter }
  const words = mode === 'vector' ? [] : await searchText(parts.db, sentences, place)
  if (mode === 'text')
    return hitsOf(
      words.map(({ documentId }) => documentId),
      words,
      [],
      false,
    )
  const embedder = await parts.embedders(index.embedder ?? '')
  const windows = windowsOf(sentences)
  const vectors = await embedder.embed(windows, asked.signal === undefined ? {} : { signal: asked.signal })
  if (vectors.some((vector) => vector.length !== index.dimensions))
    throw new Fault('index.embedder_missing', `${embedder.name} gives vectors of another length than the index holds`, {
      embedder: embedder.name,
    }) // I6
  const meanings = await parts.scan({ index: vectorIndexOf(index), vectors, filter, depth })
  if (mode === 'vector')
    return hitsOf(
      meanings.map(({ documentId }) => documentId),
      [],
      meanings,
      true,
    )
  const rankings = [
    { ids: words.map(({ documentId }) => documentId), weight: weights?.text ?? 1 },
    { ids: meanings.map(({ documentId }) => documentId), weight: weights?.vector ?? 1 },
  ]
  const first = fuse(rankings) // I2
  if (windows.length < 2)
    return hitsOf(
      first.map(({ id }) => id),
      words,
      meanings,
      true,
    )
  const best = first.slice(0, FEEDBACK.documents).map(({ id }) => id)
  const alike = await searchAlike(parts.db, best, place)
  const all = fuse([...rankings, { ids: alike.map(({ documentId }) => documentId), weight: FEEDBACK.weight }])
  const known = new Set(words.map(({ documentId }) => documentId))
  return hitsOf(
    all.map(({ id }) => id),
    [...words, ...alike.filter(({ documentId }) => !known.has(documentId))],
    meanings,
    true,
  )
}

const modeOf = ({ embedder }: IndexRow, { mode, index }: SearchOptions): SearchMode => {
  if (mode === undefined) return embedder === null ? 'text' : 'hybrid'
  if (mode !== 'text' && embedder === null)
    throw new Fault('index.embedder_missing', `${index} has no vectors; baton index add ${index} FILES --embed minilm makes them`, {
      index,
    }) // I6
  return mode
}

type ChunkRow = {
  readonly chunk: string
  readonly title: string
  readonly text: string
  readonly heading: string
  readonly meta: string
  readonly source: string | null
  readonly source_at_ms: string | null
}

const passagesOfHits = async (db: Database, indexId: string, hits: readonly Hit[]): Promise<readonly Passage[]> => {
  const { rows } = await db.query<ChunkRow>(
    `select c.id::text as chunk, d.title, c.text, c.heading, d.meta, d.source, d.source_at_ms
     from search_chunks c join search_documents d on d.index_id = c.index_id and d.id = c.document_id
     where c.index_id = $1 and c.id = any($2::bigint[])`,
    [indexId, hits.map(({ chunkId }) => chunkId)],
    { name: 'index-passages' },
  )
  const chunks = new Map(rows.map((row) => [row.chunk, row]))
  // A document that was replaced meanwhile has other chunks; it is found by the next search.
  const there = hits.flatMap((hit) => {
    const row = chunks.get(hit.chunkId)
    return row === undefined ? [] : [{ ...hit, row }]
  })
  return there.map(({ id, reasons, row }, at) => ({
    id,
    title: row.title,
    text: row.text,
    score: relevanceOf(reasons),
    rank: at + 1,
    source: row.source ?? id,
    heading: row.heading,
    meta: JSON.parse(row.meta) as JsonObject, // Written as JSON by this module.
    at: row.source_at_ms === null ? null : Number(row.source_at_ms),
  }))
}

const hitsFor = async (parts: Parts, options: SearchOptions): Promise<{ readonly indexId: string; readonly hits: readonly Hit[] }> => {
  const index = await indexOf(parts.db, options.tenant, options.index)
  const { top, filter = NO_FILTER, weights, signal } = options
  const asked = { query: options.query.slice(0, QUERY_CHARS_MAX), top, filter, mode: modeOf(index, options), depth: Math.max(DEPTH, top) }
  const hits = await findHits(parts, index, { ...asked, weights, ...(signal === undefined ? {} : { signal }) })
  return { indexId: index.id, hits: hits.slice(0, top) }
}

const search = async (parts: Parts, options: SearchOptions): Promise<readonly Passage[]> => {
  const { indexId, hits } = await hitsFor(parts, options)
  return passagesOfHits(parts.db, indexId, hits)
}

const list = async (db: Database, tenant: string): Promise<readonly IndexSummary[]> => {
  const { rows } = await db.query<{ name: string; documents: string; chunks: string; embedder: string | null; changed_at_ms: string }>(
    `select i.name, i.chunks, i.embedder, (extract(epoch from i.changed_at) * 1000)::bigint as changed_at_ms,
       (select count(*) from search_documents d where d.index_id = i.id) as documents
     from search_indexes i where i.tenant = $1 order by i.name`,
    [tenant],
  )
  return rows.map(({ name, documents, chunks, embedder, changed_at_ms: changedAtMs }) => ({
    name,
    documents: Number(documents),
    chunks: Number(chunks),
    embedder,
    changedAtMs: Number(changedAtMs),
  }))
}

/** Search indexes over the database. Without a scan, vectors are compared in this process. */
export const searchIndexes = (
  db: Database,
  { embedders = noEmbedders, scan = exactScan(db) }: { embedders?: Embedders; scan?: VectorScan } = {},
): SearchIndex => {
  const parts: Parts = { db, embedders, scan }
  return {
    add: (options) => addDocuments(db, embedders, options),
    search: (options) => search(parts, options),
    reasons: async (options) => (await hitsFor(parts, options)).hits.map(({ reasons }) => reasons),
    remove: (options) => removeDocuments(db, options),
    drop: (options) => dropIndex(db, options),
    documents: (options) => knownDocuments(db, options),
    list: (tenant) => list(db, tenant),
  }
}
