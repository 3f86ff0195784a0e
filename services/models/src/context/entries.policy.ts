// Values of a plan as entries of a part: what can be left out one by one.
import { isJsonObject, type Json } from '@baton/contracts/json'
import { renderPrompt } from '@baton/flow'
import type { SessionTurn } from '@baton/store'
import type { Entry } from './assemble.policy.ts'

const SLOT = [{ slot: ['value'] }]
const written = (value: Json): string => renderPrompt(SLOT, { value })

const isPassage = (item: Json): boolean => isJsonObject(item) && typeof item['text'] === 'string'

/** A list of passages is numbered, so that an answer can cite them; other lists have a line an entry; anything else is one entry. */
export const entriesOf = (value: Json): readonly Entry[] => {
  if (value === null || value === '') return []
  if (!Array.isArray(value)) return [{ text: written(value) }]
  if (value.every(isPassage)) return value.map((item, at) => ({ text: `${written([item]).replace('[1]', `[${at + 1}]`)}\n` }))
  return value.map((item) => ({ text: written([item]) }))
}

/** Turns of a conversation, a line of who says it before each. */
export const entriesOfTurns = (turns: readonly SessionTurn[]): readonly Entry[] =>
  turns.map(({ role, text, tokens }) => ({ text: `${role}: ${text}`, ...(tokens === null ? {} : { tokens: tokens + 3 }) }))
