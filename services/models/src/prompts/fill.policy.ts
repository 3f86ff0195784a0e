// A prompt filled with data that may come from anybody: what fills a slot stays data (B14, G-injection).
//   J1. Marks with which chat templates tell roles apart cannot be written by data: they arrive broken by a space, readable as before.
//   J2. Where the prompt puts a slot between marks of its own (`<text>{{ text }}</text>`), data cannot close them.
//   J3. What the prompt itself says is never changed, and a slot is filled once: `{{ }}` in data is text.
import type { Json } from '@baton/contracts/json'
import { renderPrompt } from '@baton/flow'
import type { PromptPart } from '@baton/flow/plan'

/** Tokens of chat templates (ChatML, Llama, Mistral, Gemma, Phi, DeepSeek), and the turns of the older completion models. */
const TEMPLATE_MARK = /<(?=[|\uFF5C][\w\u2581-]{1,40}[|\uFF5C]>)|<(?=<\/?SYS>>)|\[(?=\/?INST\])|<(?=\/?s>)|<(?=(?:start|end)_of_turn>)/gi
const TURN = /(\n\n)(?=(?:Human|Assistant|System):)/g

/** J1. */
export const withoutRoleMarks = (text: string): string => text.replaceAll(TEMPLATE_MARK, (mark) => `${mark} `).replaceAll(TURN, '$1> ')

const OPENS = /<([A-Za-z][\w-]{0,39})(?:\s[^<>]*)?>\s*$/

/** The mark that surrounds a slot, if the prompt has put one there. */
const surroundedBy = (before: PromptPart | undefined, after: PromptPart | undefined): string | undefined => {
  if (before === undefined || after === undefined || !('text' in before) || !('text' in after)) return undefined
  const name = OPENS.exec(before.text)?.[1]
  return name !== undefined && after.text.trimStart().startsWith(`</${name}>`) ? name : undefined
}

/** J2. */
const withoutClosing = (text: string, name: string): string => text.replaceAll(new RegExp(`<(?=\\s*/\\s*${name}\\b)`, 'gi'), '< ')

type Filled = { readonly text: string; readonly isData: boolean }

const fillOne = (parts: readonly PromptPart[], at: number, values: Json): Filled => {
  const part = parts[at]
  if (part === undefined || 'text' in part) return { text: part?.text ?? '', isData: false } // J3
  const text = renderPrompt([part], values)
  const name = surroundedBy(parts[at - 1], parts[at + 1])
  return { text: name === undefined ? text : withoutClosing(text, name), isData: true }
}

/** The text of a prompt. Throws `expression.failed` for a slot that the values do not have. */
export const fillPrompt = (parts: readonly PromptPart[], values: Json): string => {
  const filled = parts.map((_part, at) => fillOne(parts, at, values))
  let text = ''
  // Slots that stand side by side are one piece of data: a mark could be spread over them.
  let data = ''
  for (const piece of [...filled, { text: '', isData: false }]) {
    if (piece.isData) {
      data += piece.text
      continue
    }
    text += withoutRoleMarks(data) + piece.text
    data = ''
  }
  return text
}
