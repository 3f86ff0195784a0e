// Whether a text is well-formed XML 1.0: what drawings are checked by. No document types, no processing instructions.

const ATTRIBUTE = /\s+([A-Za-z_:][\w:.-]*)\s*=\s*("[^"<]*"|'[^'<]*')/y
const ENTITY = /&(?:amp|lt|gt|quot|apos|#\d+|#x[\da-fA-F]+);/y

/** The first thing wrong with a text, or undefined. */
export const xmlProblem = (text: string): string | undefined => {
  const state: State = { open: [], roots: 0 }
  let at = 0
  while (at < text.length) {
    const step = text[at] === '<' ? readTag(text, at) : readText(text, at, state.open.length)
    if (typeof step === 'string') return step
    const problem = isTag(step) ? nest(step, state) : undefined
    if (problem !== undefined) return problem
    at = step.end
  }
  if (state.open.length > 0) return `<${state.open.at(-1) ?? ''}> is never closed`
  return state.roots === 1 ? undefined : `there are ${state.roots} roots`
}

type State = { readonly open: string[]; roots: number }

const isTag = (step: Tag | { readonly end: number }): step is Tag => 'closes' in step

const nest = ({ name, closes, empty, end }: Tag, state: State): string | undefined => {
  if (closes) return state.open.pop() === name ? undefined : `</${name}> closes nothing before ${end}`
  if (state.open.length === 0) state.roots += 1
  if (!empty) state.open.push(name)
  return undefined
}

const readText = (text: string, at: number, depth: number): { readonly end: number } | string =>
  textProblem(text, at, depth) ?? { end: text[at] === '&' ? text.indexOf(';', at) + 1 : at + 1 }

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
