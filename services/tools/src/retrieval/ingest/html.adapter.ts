// HTML as text with Markdown headings: what a reader sees, without what every page has.
import { Parser } from 'htmlparser2'
import { placeOf, type SourceDocument, type SourceFile } from './source-document.ts'

const UNSEEN: ReadonlySet<string> = new Set([
  'script',
  'style',
  'noscript',
  'template',
  'svg',
  'nav',
  'footer',
  'head',
  'iframe',
  'select',
  'button',
])
const BLOCKS: ReadonlySet<string> = new Set(
  'address article aside blockquote div dd dl dt fieldset figcaption figure form header hr main ol p pre section table tr ul'.split(' '),
)
const BEGINS: Readonly<Record<string, string>> = { li: '\n- ', br: '\n', td: ' | ', th: ' | ' }

/** What stands in the text where a tag begins. */
const beginOf = (name: string, attributes: Readonly<Record<string, string>>): string => {
  const level = /^h([1-6])$/.exec(name)?.[1]
  if (level !== undefined) return `\n\n${'#'.repeat(Number(level))} `
  if (name === 'img') return (attributes['alt'] ?? '') === '' ? '' : `${attributes['alt']} `
  return BEGINS[name] ?? (BLOCKS.has(name) ? '\n\n' : '')
}

/** The title and the text of a page. */
export const textOfHtml = (html: string): { readonly title: string; readonly text: string } => {
  let unseen = 0
  let title = ''
  let inTitle = false
  let pre = 0
  const out: string[] = []
  const parser = new Parser(
    {
      onopentag: (name, attributes) => {
        if (name === 'title' && title === '') inTitle = true
        if (UNSEEN.has(name)) unseen += 1
        if (unseen > 0) return
        out.push(beginOf(name, attributes))
        if (name === 'pre') pre += 1
      },
      ontext: (text) => {
        if (inTitle) title += text
        if (unseen > 0) return
        out.push(pre > 0 ? text : text.replaceAll(/\s+/g, ' '))
      },
      onclosetag: (name) => {
        if (name === 'title') inTitle = false
        if (UNSEEN.has(name)) unseen = Math.max(0, unseen - 1)
        else if (unseen === 0 && (BLOCKS.has(name) || /^h[1-6]$/.test(name))) out.push('\n\n')
        if (name === 'pre') pre = Math.max(0, pre - 1)
      },
    },
    { decodeEntities: true },
  )
  parser.write(html)
  parser.end()
  const text = out
    .join('')
    .replaceAll(/[^\S\n]+\n/g, '\n')
    .replaceAll(/\n[^\S\n]+/g, '\n')
    .replaceAll(/\n{3,}/g, '\n\n')
    .replaceAll(/^\| /gm, '')
    .trim()
  return { title: title.replaceAll(/\s+/g, ' ').trim(), text }
}

/** One document. */
export const readHtml = (file: SourceFile): readonly SourceDocument[] => {
  const { title, text } = textOfHtml(file.bytes.toString('utf8'))
  const heading = /^# +(.+)$/m.exec(text)?.[1]?.trim()
  return [{ id: file.id, title: title === '' ? (heading ?? file.id) : title, text, ...placeOf(file) }]
}
