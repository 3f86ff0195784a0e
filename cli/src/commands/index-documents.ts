import { basename } from 'node:path'
import { Command } from 'commander'
import { Fault } from '@baton/contracts'
import type { SourceDocument } from '@baton/tools/ingest'
import { table } from '../print/table.ts'
import { bar } from '../terminal.ts'
import { query, show, type CommandContext } from './context.ts'
import { runningSystem } from './running-system.ts'

export type IndexDocument = Omit<SourceDocument, 'source'> & { readonly source?: string }

const BATCH = 50
/** With vectors a document takes longer: a batch must be answered in time. */
const EMBEDDED_BATCH = 10
const IDS_A_REQUEST = 500

const ingest = () => import('@baton/tools/ingest')

/** Documents of a file: Markdown, HTML, PDF, CSV, JSON lines (also `.gz`), or any text as one document. */
export const readDocuments = async (file: string): Promise<readonly IndexDocument[]> =>
  (await ingest()).readDocuments({ path: file, id: basename(file) })

type Added = { readonly added: number; readonly unchanged: number; readonly chunks: number }
type Post = (path: string, body: unknown) => Promise<unknown>

const pathOf = (index: string): string => `/v1/indexes/${encodeURIComponent(index)}`

/** Sends documents in batches, telling the share that is done. */
export const addDocuments = async (
  post: Post,
  {
    index,
    documents,
    embed,
    onProgress,
  }: { index: string; documents: readonly IndexDocument[]; embed?: string; onProgress: (done: number) => void },
): Promise<Added> => {
  const batch = embed === undefined ? BATCH : EMBEDDED_BATCH
  let all: Added = { added: 0, unchanged: 0, chunks: 0 }
  for (let from = 0; from < documents.length; from += batch) {
    const body = { documents: documents.slice(from, from + batch), ...(embed === undefined ? {} : { embed }) }
    const { added, unchanged, chunks } = (await post(`${pathOf(index)}/documents`, body)) as Added // As the service promises.
    all = { added: all.added + added, unchanged: all.unchanged + unchanged, chunks }
    onProgress(Math.min(documents.length, from + batch))
  }
  return all
}

type Known = { readonly items: readonly { readonly id: string; readonly source: string | null }[]; readonly next: string | null }

/** Ids of the documents that came from below these paths. */
const knownBelow = async (index: string, paths: readonly string[]): Promise<readonly string[]> => {
  const { get } = runningSystem()
  const ids: string[] = []
  for (const source of paths) {
    for (let after: string | undefined; ;) {
      const page: Known = await get<Known>(`${pathOf(index)}/documents${query({ source, after, limit: 1_000 })}`)
      ids.push(...page.items.map(({ id }) => id))
      if (page.next === null) break
      after = page.next
    }
  }
  return ids
}

const remove = async (index: string, ids: readonly string[]): Promise<number> => {
  const { post } = runningSystem()
  let removed = 0
  for (let from = 0; from < ids.length; from += IDS_A_REQUEST)
    removed += (await post<{ removed: number }>(`${pathOf(index)}/remove`, { ids: ids.slice(from, from + IDS_A_REQUEST) })).removed
  return removed
}

type Json = { readonly json?: boolean }
const jsonOf = ({ json }: Json): Json => (json === undefined ? {} : { json })

const readAll = async (context: CommandContext, paths: readonly string[]): Promise<readonly SourceDocument[]> => {
  const { findFiles, readDocuments: read } = await ingest()
  const files = await findFiles(paths)
  const documents: SourceDocument[] = []
  for (const [at, file] of files.entries()) {
    documents.push(...(await read(file)))
    if (files.length > 1) context.terminal.status(`${bar((at + 1) / files.length)} ${at + 1} of ${files.length} files read`)
  }
  return documents
}

const add = (context: CommandContext): Command =>
  new Command('add')
    .description('add documents to an index; adding the same again changes nothing')
    .argument('<index>')
    .argument('<files...>', 'files or folders: Markdown, HTML, PDF, CSV, JSON lines of {id, title, text}, plain text; also gzipped')
    .option('--embed <model>', 'make vectors as well, with this model (baton models pull minilm)')
    .option('--prune', 'remove what came from below these paths before and is no longer there')
    .option('--json', 'print JSON')
    .action(async (index: string, paths: readonly string[], options: Json & { embed?: string; prune?: boolean }) => {
      const api = runningSystem()
      const documents = await readAll(context, paths)
      const done = await addDocuments(api.post, {
        index,
        documents,
        ...(options.embed === undefined ? {} : { embed: options.embed }),
        onProgress: (sent) => context.terminal.status(`${bar(sent / documents.length)} ${sent} of ${documents.length} documents`),
      })
      const read = new Set(documents.map(({ id }) => id))
      const gone = options.prune === true ? (await knownBelow(index, paths)).filter((id) => !read.has(id)) : []
      const removed = await remove(index, gone)
      context.terminal.settle()
      show(
        context,
        { index, documents: documents.length, ...done, removed },
        {
          ...jsonOf(options),
          text: () =>
            `${documents.length} documents in ${index}: ${done.added} new or changed, ${done.unchanged} as before${removed > 0 ? `, ${removed} removed` : ''}`,
        },
      )
    })

type Found = { readonly id: string; readonly title: string; readonly score: number; readonly text: string; readonly source: string }

const filterOf = (pairs: readonly string[]): Readonly<Record<string, string | number>> =>
  Object.fromEntries(
    pairs.map((pair) => {
      const [, key = '', value = ''] = /^([\w.-]+)=(.*)$/s.exec(pair) ?? []
      if (key === '') throw new Fault('request.malformed', `${pair}: a filter is field=value`)
      return [key, /^-?\d+(\.\d+)?$/.test(value) ? Number(value) : value]
    }),
  )

const search = (context: CommandContext): Command =>
  new Command('search')
    .description('search an index')
    .argument('<index>')
    .argument('<query...>')
    .option('--top <n>', 'results', '5')
    .option('--mode <mode>', 'text, vector or hybrid; hybrid where the index has vectors')
    .option('--filter <field=value...>', 'only documents whose meta has these')
    .option('--json', 'print JSON')
    .action(async (index: string, words: readonly string[], options: Json & { top: string; mode?: string; filter?: readonly string[] }) => {
      const found = await runningSystem().post<{ items: readonly Found[] }>(`${pathOf(index)}/search`, {
        query: words.join(' '),
        top: Number(options.top),
        ...(options.mode === undefined ? {} : { mode: options.mode }),
        ...(options.filter === undefined ? {} : { filter: filterOf(options.filter) }),
      })
      const rows = found.items.map((item) => [
        item.score.toFixed(2),
        item.title,
        item.source,
        item.text.replaceAll(/\s+/g, ' ').slice(0, 80),
      ])
      show(context, found.items, { ...jsonOf(options), text: () => table(['score', 'title', 'source', 'text'], rows) })
    })

/** An index that somebody else keeps, and the tool that asks it. */
type Elsewhere = { readonly name: string; readonly tool: string }
type Summary = {
  readonly name: string
  readonly documents: number
  readonly chunks: number
  readonly embedder: string | null
  readonly changedAtMs: number
}

const list = (context: CommandContext): Command =>
  new Command('list')
    .description('the indexes, how much they hold and when they changed last')
    .option('--json', 'print JSON')
    .action(async (options: Json) => {
      const { items } = await runningSystem().get<{ items: readonly (Summary | Elsewhere)[] }>('/v1/indexes')
      const rows = items.map((item) =>
        'tool' in item
          ? [item.name, '-', '-', `at ${item.tool}`, '-']
          : [
              item.name,
              String(item.documents),
              String(item.chunks),
              item.embedder ?? '-',
              new Date(item.changedAtMs).toISOString().slice(0, 19),
            ],
      )
      show(context, items, { ...jsonOf(options), text: () => table(['index', 'documents', 'chunks', 'vectors', 'changed'], rows) })
    })

const removal = (context: CommandContext): Command =>
  new Command('remove')
    .description('remove documents by id, or an index with all it holds')
    .argument('<index>')
    .argument('[ids...]')
    .option('--all', 'the index itself')
    .action(async (index: string, ids: readonly string[], options: { all?: boolean }) => {
      if (options.all === true) {
        await runningSystem().post(`${pathOf(index)}/drop`, {})
        context.terminal.print(`${index} is gone`)
        return
      }
      if (ids.length === 0) throw new Fault('request.malformed', 'name ids of documents, or --all')
      context.terminal.print(`${await remove(index, ids)} documents removed from ${index}`)
    })

/** `baton index add|search|list|remove` (C7). */
export const indexCommand = (context: CommandContext): Command =>
  new Command('index')
    .description('documents to retrieve from')
    .addCommand(add(context))
    .addCommand(search(context))
    .addCommand(list(context))
    .addCommand(removal(context))
