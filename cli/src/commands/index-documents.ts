import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { Command } from 'commander'
import { Fault, toFault } from '@baton/contracts'
import { table } from '../print/table.ts'
import { bar } from '../terminal.ts'
import { query, show, type CommandContext } from './context.ts'
import { runningSystem } from './running-system.ts'

export type IndexDocument = { readonly id: string; readonly title: string; readonly text: string }

const BATCH = 50

/** Documents of a file: JSON lines of `{id, title, text}` (also `.gz`), or any text as one document. */
export const readDocuments = async (file: string): Promise<readonly IndexDocument[]> => {
  const bytes = await readFile(file)
  const text = (file.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8')
  if (!/\.jsonl(\.gz)?$/.test(file)) return [{ id: basename(file), title: basename(file), text }]
  return text.split('\n').flatMap((line, index) => {
    if (line.trim() === '') return []
    try {
      const row = JSON.parse(line) as { id?: unknown; title?: unknown; text?: unknown; content?: unknown } // every field is checked here
      const body = row.text ?? row.content
      if (typeof row.id !== 'string' || typeof body !== 'string') throw new Error('needs id and text')
      return [{ id: row.id, title: typeof row.title === 'string' ? row.title : row.id, text: body }]
    } catch (error) {
      throw new Fault('request.malformed', `${file}:${index + 1}: ${toFault(error).message}`)
    }
  })
}

/** Sends documents in batches, telling the share that is done. */
export const addDocuments = async (
  post: (path: string, body: unknown) => Promise<unknown>,
  { index, documents, onProgress }: { index: string; documents: readonly IndexDocument[]; onProgress: (done: number) => void },
): Promise<void> => {
  for (let from = 0; from < documents.length; from += BATCH) {
    await post(`/v1/indexes/${encodeURIComponent(index)}/documents`, { documents: documents.slice(from, from + BATCH) })
    onProgress(Math.min(documents.length, from + BATCH))
  }
}

const add = (context: CommandContext): Command =>
  new Command('add')
    .description('add documents to an index; adding the same again changes nothing')
    .argument('<index>')
    .argument('<files...>', 'text files, or JSON lines of {id, title, text}, also gzipped')
    .action(async (index: string, files: readonly string[]) => {
      const api = runningSystem()
      const documents = (await Promise.all(files.map(readDocuments))).flat()
      await addDocuments(api.post, {
        index,
        documents,
        onProgress: (done) => context.terminal.status(`${bar(done / documents.length)} ${done} of ${documents.length} documents`),
      })
      context.terminal.settle()
      context.terminal.print(`${documents.length} documents in ${index}`)
    })

type Found = { readonly id: string; readonly title: string; readonly score: number; readonly text: string }

const search = (context: CommandContext): Command =>
  new Command('search')
    .description('search an index')
    .argument('<index>')
    .argument('<query...>')
    .option('--top <n>', 'results', '5')
    .option('--json', 'print JSON')
    .action(async (index: string, words: readonly string[], options: { top: string; json?: boolean }) => {
      const found = await runningSystem().get<{ items: readonly Found[] }>(
        `/v1/indexes/${encodeURIComponent(index)}/search${query({ query: words.join(' '), top: options.top })}`,
      )
      const rows = found.items.map((item) => [item.score.toFixed(2), item.title, item.text.replaceAll(/\s+/g, ' ').slice(0, 80)])
      show(context, found.items, {
        ...(options.json === undefined ? {} : { json: options.json }),
        text: () => table(['score', 'title', 'text'], rows),
      })
    })

/** `baton index add|search` (C7). */
export const indexCommand = (context: CommandContext): Command =>
  new Command('index').description('documents to retrieve from').addCommand(add(context)).addCommand(search(context))
