// Prompts: text with `{{ path }}` slots. A slot is filled with data, never evaluated.
import { Fault } from '@baton/contracts/fault'
import { isJsonObject, type Json, type JsonObject } from '@baton/contracts/json'
import type { PromptPart } from './plan.ts'

/** A slot or a mistake in a prompt, by its offset in the text. */
export type PromptText = {
  readonly parts: readonly PromptPart[]
  readonly slots: readonly { readonly path: readonly string[]; readonly index: number; readonly text: string }[]
  readonly mistakes: readonly { readonly index: number; readonly text: string; readonly message: string }[]
}

const PATH = /^[A-Za-z_]\w*(?:\.(?:[A-Za-z_]\w*|\d+))*$/

/** Splits a prompt into text and slots. `\{{` is a literal `{{`. */
export const parsePrompt = (text: string): PromptText => {
  const parts: PromptPart[] = []
  const slots: PromptText['slots'][number][] = []
  const mistakes: PromptText['mistakes'][number][] = []
  let literal = ''
  const flush = (): void => {
    if (literal !== '') parts.push({ text: literal })
    literal = ''
  }
  let position = 0
  while (position < text.length) {
    const open = text.indexOf('{{', position)
    if (open === -1) break
    if (open > 0 && text[open - 1] === '\\') {
      literal += `${text.slice(position, open - 1)}{{`
      position = open + 2
      continue
    }
    const close = text.indexOf('}}', open)
    if (close === -1) {
      mistakes.push({ index: open, text: '{{', message: 'this "{{" is never closed; write "\\{{" for the characters themselves' })
      break
    }
    literal += text.slice(position, open)
    flush()
    const inside = text.slice(open + 2, close)
    const path = inside.trim()
    if (PATH.test(path)) {
      slots.push({ path: path.split('.'), index: open + 2 + inside.indexOf(path), text: path })
      parts.push({ slot: path.split('.') })
    } else {
      mistakes.push({
        index: open,
        text: text.slice(open, close + 2),
        message: `"${path}" is not a path like input.text; slots are filled with data and hold no expressions`,
      })
    }
    position = close + 2
  }
  literal += text.slice(position)
  flush()
  return { parts, slots, mistakes }
}

/** Longest text one slot may become, in characters. */
const MAX_SLOT_CHARS = 400_000

/**
 * A prompt filled with the values of a step's `with`. Text stays as it is, objects become `key: value` lines, retrieved
 * items numbered passages, null "(none)". Throws `expression.failed` for a path that the values do not have.
 */
export const renderPrompt = (parts: readonly PromptPart[], values: Json): string =>
  parts.map((part) => ('text' in part ? part.text : renderValue(valueAt(values, part.slot)).slice(0, MAX_SLOT_CHARS))).join('')

const valueAt = (values: Json, path: readonly string[]): Json => {
  let value: Json = values
  for (const [depth, key] of path.entries()) {
    // A step that was skipped is null, and so is everything inside it.
    if (value === null && depth > 0) return null
    const next: Json | undefined = readKey(value, key)
    if (next === undefined)
      throw new Fault('expression.failed', `the prompt asks for {{ ${path.join('.')} }}, and there is no "${key}"`, {
        expression: path.join('.'),
      })
    value = next
  }
  return value
}

const readKey = (value: Json, key: string): Json | undefined => {
  if (Array.isArray(value)) return /^\d+$/.test(key) ? value[Number(key)] : undefined
  return isJsonObject(value) && Object.hasOwn(value, key) ? value[key] : undefined
}

/** One value as text for a model. */
const renderValue = (value: Json): string => {
  if (value === null) return '(none)'
  if (typeof value === 'string') return value
  if (Array.isArray(value)) return renderList(value)
  return isJsonObject(value) ? renderFields(value, '') : JSON.stringify(value)
}

const renderList = (items: readonly Json[]): string => {
  if (items.length === 0) return '(none)'
  const passages = items.filter(isPassage)
  if (passages.length === items.length) return passages.map((item, index) => renderPassage(item, index + 1)).join('\n\n')
  return items.map((item) => `- ${isComposite(item) ? JSON.stringify(item) : renderValue(item)}`).join('\n')
}

const isPassage = (item: Json): item is JsonObject & { readonly text: string } => isJsonObject(item) && typeof item['text'] === 'string'

const renderPassage = (item: JsonObject & { readonly text: string }, number: number): string => {
  const name = ['title', 'source', 'id'].map((key) => item[key]).find((value) => typeof value === 'string' && value !== '')
  return `[${number}]${typeof name === 'string' ? ` ${name}` : ''}\n${item.text}`
}

const renderFields = (value: JsonObject, indent: string): string =>
  Object.entries(value)
    .map(([key, field]) => {
      if (isJsonObject(field) && Object.keys(field).length > 0) return `${indent}${key}:\n${renderFields(field, `${indent}  `)}`
      if (typeof field === 'string' && field.includes('\n')) return `${indent}${key}: |\n${field.replace(/^/gm, `${indent}  `)}`
      return `${indent}${key}: ${isComposite(field) ? JSON.stringify(field) : renderValue(field ?? null)}`
    })
    .join('\n')

const isComposite = (value: Json | undefined): boolean => typeof value === 'object' && value !== null
