// The tools of the demonstration: they look into scripts/library.json and never reach the web. Replace them by tools of your own.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { defineTool } from '@baton/tools'
import { z } from 'zod'

const Document = z.object({ url: z.string(), title: z.string(), text: z.string() })
const Table = z.object({ source: z.string(), rows: z.array(z.object({ year: z.number(), passengers: z.number() })) })
const Library = z.object({ documents: z.array(Document), tables: z.record(z.string(), Table) })

const open = async (): Promise<z.infer<typeof Library>> =>
  Library.parse(JSON.parse(await readFile(join(import.meta.dirname, '..', 'scripts', 'library.json'), 'utf8')))

const wordsOf = (text: string): ReadonlySet<string> => new Set(text.toLowerCase().match(/\w{4,}/g) ?? [])
const inCommon = (query: ReadonlySet<string>, text: string): number => [...wordsOf(text)].filter((word) => query.has(word)).length

/** Documents that have words of the query, the best first. */
export const search = defineTool({
  name: 'web/search',
  about: 'Finds documents of the demonstration library by words.',
  effect: 'read',
  input: z.strictObject({ query: z.string().max(500) }),
  output: z.object({ items: z.array(z.object({ url: z.string(), title: z.string() })) }),
  timeoutMs: 2_000,
  run: async ({ query }) => {
    const words = wordsOf(query)
    const found = (await open()).documents.map(({ url, title, text }) => ({ url, title, score: inCommon(words, `${title} ${text}`) }))
    const best = found.filter(({ score }) => score > 0).toSorted((left, right) => right.score - left.score)
    return { items: best.map(({ url, title }) => ({ url, title })) }
  },
})

/** One document by its address. */
export const fetchDocument = defineTool({
  name: 'web/fetch',
  about: 'Gives a document of the demonstration library.',
  effect: 'read',
  input: z.strictObject({ url: z.string().max(500) }),
  output: Document,
  timeoutMs: 2_000,
  run: async ({ url }) => {
    const found = (await open()).documents.find((document) => document.url === url)
    if (found === undefined) throw new Error(`the library has nothing at ${url}`)
    return found
  },
})

/** Rows of a table, for some years. */
export const query = defineTool({
  name: 'data/query',
  about: 'Gives rows of a table of the demonstration library.',
  effect: 'read',
  input: z.strictObject({ table: z.string().max(100), years: z.array(z.number().int()).max(100) }),
  output: Table,
  timeoutMs: 2_000,
  run: async ({ table, years }) => {
    const found = (await open()).tables[table]
    if (found === undefined) throw new Error(`the library has no table ${table}`)
    return { source: found.source, rows: found.rows.filter(({ year }) => years.includes(year)) }
  },
})
