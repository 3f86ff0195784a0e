// Values of a plan as entries of a part: what can be left out one by one.
import type { Json } from '@baton/contracts/json'
import { entryTexts } from '@baton/flow'
import type { SessionTurn } from '@baton/store'
import type { Entry } from './assemble.policy.ts'

/** The entries of a value. */
export const entriesOf = (value: Json): readonly Entry[] => entryTexts(value).map((text) => ({ text }))

/** Turns of a conversation, a line of who says it before each. */
export const entriesOfTurns = (turns: readonly SessionTurn[]): readonly Entry[] =>
  turns.map(({ role, text, tokens }) => ({ text: `${role}: ${text}`, ...(tokens === null ? {} : { tokens: tokens + 3 }) }))
