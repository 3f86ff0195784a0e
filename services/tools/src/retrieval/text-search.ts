// Full-text search over documents: PostgreSQL's English stems, ranked by Okapi BM25.
// Source of the formula: Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond", 2009; k1 1.2, b 0.75.
//   T1. A question finds what shares any word with it; rare words count more, words of the title twice.
//   T2. A request of several sentences is a question for each; a chunk gets the sum of the squares of their points: who answers one
//       sentence well is before who has a word of each. Of one sentence, the order is plain BM25.
//   T3. `share` is how much of the request a chunk covers, 0 to 1, weighed by how rare each word is: words that no document has lower it
//       for all.
import type { Database } from '@baton/store'
import { filterParams, filterSql, isOpen, type DocumentFilter } from './filter.policy.ts'

/** A document as the words of a request found it, by its best chunk. */
export type TextHit = { readonly documentId: string; readonly chunkId: string; readonly share: number }

const SEARCH = `with
  place as materialized (select chunks::float8 as chunks, length / greatest(chunks, 1) as mean_length from search_indexes where id = $1),
  asked as materialized (
    select distinct q, lexeme collate "C" as stem
    from unnest($2::text[]) with ordinality as t (words, q) cross join lateral unnest(to_tsvector('english', words))
  ),
  terms as materialized (select distinct stem from asked),
  hits as materialized (
    select s.stem, s.chunk_id, s.weight, s.length from terms join search_stems s on s.stem = terms.stem and s.index_id = $1
  ),
  worth as materialized (
    select stem, ln(1 + (place.chunks - coalesce(found, 0) + 0.5) / (coalesce(found, 0) + 0.5)) as idf
    from terms left join (select stem, count(*) as found from hits group by stem) f using (stem) cross join place
  ),
  gains as materialized (
    select stem, chunk_id, idf * weight * 2.2 / (weight + 1.2 * (0.25 + 0.75 * hits.length / greatest((select mean_length from place), 1))) as gain
    from hits join worth using (stem)
  ),
  answered as (select q, chunk_id, sum(gain) as points from gains join asked using (stem) group by q, chunk_id),
  scored as materialized (
    select chunk_id, sum(points * points) as points, sum(points) as covered
    from answered group by chunk_id order by points desc, chunk_id limit $4::integer
  ),
  best as (
    select distinct on (c.document_id) c.document_id, c.id, scored.points, scored.covered
    from scored join search_chunks c on c.id = scored.chunk_id join search_documents d on d.index_id = c.index_id and d.id = c.document_id
    where ${filterSql('$5', '$6')}
    order by c.document_id, scored.points desc, c.ordinal
  )
  select document_id, id, covered / (2.2 * greatest((select sum(idf) from asked join worth using (stem)), 1e-9)) as share
  from best order by points desc, document_id collate "C" limit $3::integer`

/** How a chunk is scored for one stem: `s` is its row of stems. */
const SATURATED = `s.weight * 2.2 / (s.weight + 1.2 * (0.25 + 0.75 * s.length / greatest((select mean_length from place), 1)))`
/** Stems of the best documents that are looked for. */
const ALIKE_STEMS = 20

const ALIKE = `with
  place as materialized (select chunks::float8 as chunks, length / greatest(chunks, 1) as mean_length from search_indexes where id = $1),
  opened as materialized (select id from search_chunks where index_id = $1 and ordinal = 0 and document_id = any($2::text[])),
  said as materialized (select stem, sum(weight) as said from search_stems where index_id = $1 and chunk_id in (select id from opened) group by stem),
  worth as materialized (
    select said.stem, said.said, ln(1 + (place.chunks - f.found + 0.5) / (f.found + 0.5)) as idf
    from said cross join place
      cross join lateral (select count(*) as found from search_stems s where s.index_id = $1 and s.stem = said.stem) as f
  ),
  terms as materialized (select stem, idf, said * idf as weight from worth order by weight desc, stem limit ${ALIKE_STEMS}),
  scored as materialized (
    select s.chunk_id, sum(terms.weight * terms.idf * ${SATURATED}) as points
    from terms join search_stems s on s.stem = terms.stem and s.index_id = $1
    group by s.chunk_id order by points desc, s.chunk_id limit $4::integer
  ),
  best as (
    select distinct on (c.document_id) c.document_id, c.id, scored.points
    from scored join search_chunks c on c.id = scored.chunk_id join search_documents d on d.index_id = c.index_id and d.id = c.document_id
    where ${filterSql('$5', '$6')}
    order by c.document_id, scored.points desc, c.ordinal
  )
  select document_id, id, 0 as share from best order by points desc, document_id collate "C" limit $3::integer`

/** More chunks than documents are ranked, because several of one document may be good. */
const CHUNKS_PER_DOCUMENT = 20

type Row = { readonly document_id: string; readonly id: string; readonly share: number | string }

type Place = { readonly indexId: string; readonly depth: number; readonly filter: DocumentFilter }

const ask = async (
  db: Database,
  { name, sql, words }: { name: string; sql: string; words: readonly string[] },
  { indexId, depth, filter }: Place,
): Promise<readonly TextHit[]> => {
  // With a filter no chunk is left out before it was looked at.
  const chunksMax = isOpen(filter) ? depth * CHUNKS_PER_DOCUMENT : null
  const { rows } = await db.query<Row>(sql, [indexId, words, depth, chunksMax, ...filterParams(filter)], { name })
  return rows.map((row) => ({ documentId: row.document_id, chunkId: String(row.id), share: Math.min(1, Number(row.share)) }))
}

/** What answers the sentences of a request, best first. */
export const searchText = (db: Database, sentences: readonly string[], place: Place): Promise<readonly TextHit[]> =>
  ask(db, { name: 'index-search', sql: SEARCH, words: [...sentences] }, place)

/** What says the same as these documents do at their beginning, by their rarest and most frequent words; best first. Its `share` is 0. */
export const searchAlike = (db: Database, documentIds: readonly string[], place: Place): Promise<readonly TextHit[]> =>
  ask(db, { name: 'index-alike', sql: ALIKE, words: [...documentIds] }, place)
