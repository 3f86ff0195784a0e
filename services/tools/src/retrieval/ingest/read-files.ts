// Files and folders as documents.
//   L1. What kind a file is, its name says; what no reader is for is told, never guessed.
//   L2. There are limits: a file of more than `FILE_BYTES_MAX`, a folder of more than `FILES_MAX` files.
import { readdir, readFile, stat } from 'node:fs/promises'
import { basename, extname, join, relative, sep } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { Fault } from '@baton/contracts'
import { readMarkdown } from './markdown.policy.ts'
import { placeOf, type SourceDocument, type SourceFile } from './source-document.ts'

const FILE_BYTES_MAX = 100 * 1024 * 1024
const FILES_MAX = 50_000

type Reader = (file: SourceFile) => Promise<readonly SourceDocument[]> | readonly SourceDocument[]

const image: Reader = async (file) => {
  const ocr = await (await import('./ocr.adapter.ts')).openOcr(file.source)
  try {
    return [{ id: file.id, title: file.id, text: await ocr.read(file.bytes), ...placeOf(file) }]
  } finally {
    await ocr.close()
  }
}
const html: Reader = async (file) => (await import('./html.adapter.ts')).readHtml(file)
const jsonLines: Reader = async (file) => (await import('./table.adapter.ts')).readJsonLines(file)

/** Readers by the end of the name; each is loaded at its first use. */
const READERS: Readonly<Record<string, Reader>> = {
  '.md': readMarkdown,
  '.markdown': readMarkdown,
  '.txt': readMarkdown,
  '.text': readMarkdown,
  '.html': html,
  '.htm': html,
  '.csv': async (file) => (await import('./table.adapter.ts')).readCsv(file),
  '.jsonl': jsonLines,
  '.ndjson': jsonLines,
  '.pdf': async (file) => (await import('./pdf.adapter.ts')).readPdf(file),
  '.png': image,
  '.jpg': image,
  '.jpeg': image,
}

const kindOf = (path: string): string => extname(path.toLowerCase().replace(/\.gz$/, ''))

/** A file that documents are read from. */
export type Found = { readonly path: string; readonly id: string }

/** The files under these paths that have a reader; a file that is named itself is always among them. Pictures only when they are named. */
export const findFiles = async (paths: readonly string[]): Promise<readonly Found[]> => {
  const found: Found[] = []
  for (const path of paths) {
    const about = await stat(path).catch(() => undefined)
    if (about === undefined) throw new Fault('request.not_found', `there is no ${path}`, { path })
    if (about.isFile()) found.push({ path, id: basename(path) })
    else
      for (const name of (await readdir(path, { recursive: true })).toSorted()) {
        const kind = kindOf(name)
        if (READERS[kind] === undefined || READERS[kind] === image || name.split(sep).some((part) => part.startsWith('.'))) continue
        found.push({ path: join(path, name), id: relative('.', name).split(sep).join('/') })
      }
    if (found.length > FILES_MAX) throw new Fault('request.too_large', `more than ${FILES_MAX} files under ${path}`) // L2
  }
  return found
}

/** The documents of a file; of an unknown kind, its text as one. Throws `request.malformed` with file and line. */
export const readDocuments = async ({ path, id }: Found): Promise<readonly SourceDocument[]> => {
  const { size, mtimeMs } = await stat(path)
  if (size > FILE_BYTES_MAX)
    throw new Fault('request.too_large', `${path} has more than ${FILE_BYTES_MAX} bytes`, { bytesMax: FILE_BYTES_MAX }) // L2
  const packed = await readFile(path)
  const bytes = path.endsWith('.gz') ? gunzipSync(packed, { maxOutputLength: FILE_BYTES_MAX }) : packed
  const read = READERS[kindOf(path)] ?? readMarkdown
  if (read === readMarkdown && bytes.includes(0)) throw new Fault('request.malformed', `${path} is no text, and no reader is known for it`) // L1
  return read({ id, source: path, sourceAtMs: Math.floor(mtimeMs), bytes })
}
