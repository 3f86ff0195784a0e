// What a search answers, whoever answers it.
import { z } from 'zod'
import type { Json, JsonObject } from '@baton/contracts'
import { readFilter, type DocumentFilter } from './filter.policy.ts'
import { QUERY_CHARS_MAX } from './request.policy.ts'
import type { Passage, SearchOptions } from './search-index.repository.ts'

/** Passages of one search, at most. */
export const TOP_MAX = 100

/** What a step may say beside the question. `newerThan`: an ISO date or milliseconds. */
export const SearchArgs = z.strictObject({
  query: z.string(),
  top: z.number().int().min(1).max(TOP_MAX).nullish(),
  mode: z.enum(['text', 'vector', 'hybrid']).nullish(),
  filter: z.record(z.string(), z.custom<Json>()).nullish(),
  newerThan: z.union([z.iso.datetime({ offset: true }), z.iso.date(), z.number().int().nonnegative()]).nullish(),
  weights: z.strictObject({ text: z.number().min(0).max(10).optional(), vector: z.number().min(0).max(10).optional() }).nullish(),
})
export type SearchArgs = z.output<typeof SearchArgs>

const Item = z.object({
  id: z.string(),
  title: z.string(),
  text: z.string(),
  score: z.number(),
  rank: z.number(),
  source: z.string(),
  heading: z.string(),
  meta: z.custom<JsonObject>(),
  at: z.number().nullable(),
})
export const Found = z.object({ items: z.array(Item), score: z.number() })

/** A search as a step or a request asks for it. Throws `request.malformed` for a filter that is none. */
export const searchOptionsOf = (args: SearchArgs): Omit<SearchOptions, 'tenant' | 'index' | 'signal'> => ({
  query: args.query.slice(0, QUERY_CHARS_MAX),
  top: args.top ?? 5,
  mode: args.mode ?? undefined,
  filter: filterOf(args),
  weights: args.weights ?? undefined,
})

const filterOf = ({ filter, newerThan }: SearchArgs): DocumentFilter => ({
  conditions: readFilter((filter ?? {}) as JsonObject), // Values were JSON when they came in.
  newerThanMs: newerThan === null || newerThan === undefined ? null : typeof newerThan === 'number' ? newerThan : Date.parse(newerThan),
})

/** The output of a step. The score beside the items is the highest of theirs: whether anything is relevant at all. */
export const foundOf = (items: readonly Passage[]): z.input<typeof Found> => ({
  items: [...items],
  score: items.reduce((best, { score }) => Math.max(best, score), 0),
})
