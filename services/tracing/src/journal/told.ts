// What the rows of the journal share: the data of a message by its name, and how long a text may be that is kept.
import type { MessageOf } from '@baton/contracts'
import type { TracedEvent } from './journal-event.ts'

export type Data<Name extends TracedEvent['message']['name']> = MessageOf<Name>

/** Longest texts, in characters. */
export const CHARS_MAX = { message: 1_000, detail: 4_000 } as const

export const cut = (text: string, charsMax: number): string => (text.length <= charsMax ? text : `${text.slice(0, charsMax - 1)}…`)

/** The message of a fault, cut to what is kept of it. */
export const messageOf = (fault: { readonly message: string } | undefined): string | undefined =>
  fault === undefined ? undefined : cut(fault.message, CHARS_MAX.message)
