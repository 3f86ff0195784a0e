// What the demonstration reads beside `web/search`, which is built in and looks into the index `web`: the documents of ../library, and tables.
// Nothing here reaches the web. Replace it by tools of your own.
import { readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { defineTool } from '@baton/tools'
import { z } from 'zod'

const FOLDER = join(import.meta.dirname, '..')
const Document = z.object({ url: z.string(), title: z.string(), text: z.string() })
const Table = z.object({ source: z.string(), rows: z.array(z.object({ year: z.number(), passengers: z.number() })) })
const Tables = z.record(z.string(), Table)

/** One document of the library, by the address that the search gave. */
export const fetchDocument = defineTool({
  name: 'web/fetch',
  about: 'Gives a document of the demonstration library.',
  effect: 'read',
  outside: true,
  input: z.strictObject({ url: z.string().max(500) }),
  output: Document,
  timeoutMs: 2_000,
  run: async ({ url }) => {
    const written = await readFile(join(FOLDER, 'library', basename(url)), 'utf8').catch(() => undefined)
    if (written === undefined) throw new Error(`the library has nothing at ${url}`)
    const [heading = '', ...rest] = written.split('\n')
    return { url, title: heading.replace(/^#\s*/, ''), text: rest.join('\n').trim() }
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
    const tables = Tables.parse(JSON.parse(await readFile(join(FOLDER, 'scripts', 'tables.json'), 'utf8')))
    const found = tables[table]
    if (found === undefined) throw new Error(`the library has no table ${table}`)
    return { source: found.source, rows: found.rows.filter(({ year }) => years.includes(year)) }
  },
})
