// Markdown and plain text: the text as it is; front matter and the first heading say what it is called.
import type { JsonObject } from '@baton/contracts'
import { placeOf, type SourceDocument, type SourceFile } from './source-document.ts'

const scalar = (text: string): string | number | boolean => {
  const plain = text.trim().replace(/^(["'])(.*)\1$/, '$2')
  if (plain === 'true' || plain === 'false') return plain === 'true'
  return /^-?\d+(\.\d+)?$/.test(plain) && plain.length < 16 ? Number(plain) : plain
}

/** `key: value` and `key: [a, b]` lines; what is nested is left in the text's file and not read. */
const frontMatterOf = (text: string): { readonly meta: JsonObject; readonly body: string } => {
  const match = /^---\r?\n([\s\S]{0,20000}?)\r?\n---\r?\n/.exec(text)
  if (match === null) return { meta: {}, body: text }
  const lines = (match[1] ?? '').split(/\r?\n/)
  const entries = lines.flatMap((line): [string, JsonObject[string]][] => {
    const [, key = '', value = ''] = /^([\w-]+):\s+(.+)$/.exec(line) ?? []
    if (key === '') return []
    const list = /^\[(.*)\]$/.exec(value.trim())
    return [[key, list === null ? scalar(value) : (list[1] ?? '').split(',').map(scalar)]]
  })
  return { meta: Object.fromEntries(entries), body: text.slice(match[0].length) }
}

/** One document. */
export const readMarkdown = (file: SourceFile): readonly SourceDocument[] => {
  const { meta, body } = frontMatterOf(file.bytes.toString('utf8').replace(/^\uFEFF/, ''))
  const { title: told, ...rest } = meta
  const heading = /^#\s+(.+)$/m.exec(body)?.[1]?.trim()
  const title = typeof told === 'string' ? told : (heading ?? file.id)
  return [{ id: file.id, title, text: body, ...placeOf(file), ...(Object.keys(rest).length === 0 ? {} : { meta: rest }) }]
}
