// TypeScript text that fits a width: what fits on a line stays on it, everything else is broken at its outermost brackets.

/** A piece of text: whole, in brackets with items that may each have a line, or several pieces one after the other. */
export type Text = string | { readonly open: string; readonly items: readonly Text[]; readonly close: string } | readonly Text[]

const isPieces = (text: Text): text is readonly Text[] => Array.isArray(text)
const WIDTH = 120

const flat = (text: Text): string => {
  if (typeof text === 'string') return text
  if (isPieces(text)) return text.map(flat).join('')
  const { open, items, close } = text
  const inner = items.map(flat).join(', ')
  return open.endsWith('{') && items.length > 0 ? `${open} ${inner} ${close}` : `${open}${inner}${close}`
}

/** The text, broken where it must be. */
export const print = (text: Text, indent = ''): string => {
  const line = flat(text)
  if (typeof text === 'string' || indent.length + line.length <= WIDTH) return line
  if (isPieces(text)) return text.map((piece) => print(piece, indent)).join('')
  const below = `${indent}  `
  return `${text.open}\n${text.items.map((item) => `${below}${print(item, below)},\n`).join('')}${indent}${text.close}`
}

const NAME = /^[A-Za-z_$][\w$]*$/
/** A key of an object. */
export const keyText = (key: string): string => (NAME.test(key) ? key : stringText(key))
/** A string in single quotes. */
export const stringText = (value: string): string => `'${JSON.stringify(value).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`
export const objectText = (entries: readonly (readonly [string, Text])[]): Text => ({
  open: '{',
  items: entries.map(([key, value]): Text => (key === value ? key : [`${keyText(key)}: `, value])),
  close: '}',
})
export const listText = (items: readonly Text[]): Text => ({ open: '[', items, close: ']' })
export const callText = (name: string, args: readonly Text[]): Text => {
  const last = args.at(-1)
  if (last === undefined) return `${name}()`
  const before = args.slice(0, -1).map(flat)
  // The last argument hugs the bracket, as a hand would write it, unless another one has lines of its own.
  if (before.some((arg) => arg.startsWith('{'))) return { open: `${name}(`, items: args, close: ')' }
  return [`${name}(${before.map((arg) => `${arg}, `).join('')}`, last, ')']
}
