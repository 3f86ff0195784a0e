// Whether a text is well-formed XML 1.0: what drawings are checked by. No document types, no processing instructions.

const ATTRIBUTE = /\s+([A-Za-z_:][\w:.-]*)\s*=\s*("[^"<]*"|'[^'<]*')/y
const ENTITY = /&(?:amp|lt|gt|quot|apos|#\d+|#x[\da-fA-F]+);/y

/** The first thing wrong with a text, or undefined. */
export const xmlProblem = (text: string): string | undefined => {
  const open: string[] = []
  let roots = 0
  let at = 0
  while (at < text.length) {
    if (text[at] !== '<') {
      const problem = textProblem(text, at, open.length)
      if (problem !== undefined) return problem
      at += text[at] === '&' ? text.slice(at).indexOf(';') + 1 : 1
      continue
    }
    const tag = readTag(text, at)
    if (typeof tag === 'string') return tag
    if (tag.closes && open.pop() !== tag.name) return `</${tag.name}> closes nothing at ${at}`
    if (!tag.closes && open.length === 0) roots += 1
    if (!tag.closes && !tag.empty) open.push(tag.name)
    at = tag.end
  }
  if (open.length > 0) return `<${open.at(-1) ?? ''}> is never closed`
  return roots === 1 ? undefined : `there are ${roots} roots`
}

const textProblem = (text: string, at: number, depth: number): string | undefined => {
  const character = text[at] ?? ''
  if (depth === 0 && !/\s/.test(character)) return `text outside the root at ${at}`
  ENTITY.lastIndex = at
  if (character === '&' && !ENTITY.test(text)) return `a bare & at ${at}`
  const code = text.codePointAt(at) ?? 0
  return code < 0x20 && !'\t\n\r'.includes(character) ? `the character ${code} at ${at}` : undefined
}

type Tag = { readonly name: string; readonly closes: boolean; readonly empty: boolean; readonly end: number }

const readTag = (text: string, at: number): Tag | string => {
  const start = /<(\/?)([A-Za-z_:][\w:.-]*)/y
  start.lastIndex = at
  const match = start.exec(text)
  if (match === null) return `"<" begins no tag at ${at}`
  let end = start.lastIndex
  const seen = new Set<string>()
  for (;;) {
    ATTRIBUTE.lastIndex = end
    const attribute = ATTRIBUTE.exec(text)
    if (attribute === null) break
    const [, name = '', value = ''] = attribute
    if (seen.has(name)) return `the attribute ${name} stands twice at ${end}`
    if (/&(?!(?:amp|lt|gt|quot|apos|#\d+);)/.test(value)) return `a bare & in the attribute ${name} at ${end}`
    seen.add(name)
    end = ATTRIBUTE.lastIndex
  }
  const close = /\s*(\/?)>/y
  close.lastIndex = end
  const closed = close.exec(text)
  return closed === null
    ? `the tag ${match[2] ?? ''} does not end at ${end}`
    : { name: match[2] ?? '', closes: match[1] === '/', empty: closed[1] === '/', end: close.lastIndex }
}
