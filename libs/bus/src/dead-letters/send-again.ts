// Sending letters again, and putting them away.
//   X1. A redriven message goes to the topic and partition it came from with its own key, id and headers, so its idempotency key is the
//       same; only the redrive and its past are added, and its attempts count from one. One that had no id keeps the one its place gave it.
//   X2. A redriven or discarded letter is no longer open: a mark beside it in the topic says so, who did it, when and why. It can still be
//       shown, and redriven by name.
//   X3. A crash in the middle redrives a letter twice at worst, and never loses one: message and mark are published in one call.
//   X4. An edit changes what the message says, never who it is: key, id, source, type and subject stay.
import { Fault } from '@baton/contracts/fault'
import type { Bus, OutgoingRecord } from '../bus.ts'
import { HEADER } from '../lanes/failure-record.ts'
import { encodeHistory, markOf, type DeadLetter, type LetterAction, type LetterChange } from './letter.ts'

/** What is sent instead of the letter as it is; `changes` is what is kept of it. */
export type LetterEdit = {
  readonly value: Buffer
  readonly headers: Readonly<Record<string, string>>
  readonly changes: readonly LetterChange[]
}

/** Headers that say which message it is (X4). */
export const IDENTITY_HEADERS = ['ce_id', 'ce_source', 'ce_type', 'ce_subject', 'ce_tenant', 'idempotency-key'] as const

export type Sender = {
  /** Of the redrive or discard. */
  readonly id: string
  readonly nowMs: number
  readonly by?: string
  readonly reason?: string
}

/** A letter to send, and what to send instead of it as it is. */
export type Sending = { readonly letter: DeadLetter; readonly edit?: LetterEdit | undefined }

/** Sends letters to where they came from, in the order given, and marks them. Throws before anything is sent when an edit breaks X4. */
export const sendAgain = async (
  bus: Bus,
  topic: string,
  { letters, sender }: { letters: readonly Sending[]; sender: Sender },
): Promise<void> => {
  const records = letters.flatMap(({ letter, edit }): OutgoingRecord[] => {
    const changes = edit?.changes ?? []
    const action = { ...actionOf('redriven', sender), ...(changes.length === 0 ? {} : { changes }) }
    return [again(bus, letter, { id: sender.id, edit }), markOf(topic, letter, action)]
  })
  if (records.length > 0) await bus.publish(records) // X3
}

/** Puts letters away (X2). */
export const putAway = async (
  bus: Bus,
  topic: string,
  { letters, sender }: { letters: readonly DeadLetter[]; sender: Sender },
): Promise<void> => {
  if (letters.length > 0) await bus.publish(letters.map((letter) => markOf(topic, letter, actionOf('discarded', sender))))
}

const actionOf = (action: LetterAction['action'], { id, nowMs, by, reason }: Sender): LetterAction => ({
  action,
  atMs: nowMs,
  id,
  ...(by === undefined ? {} : { by }),
  ...(reason === undefined ? {} : { reason }),
})

/** X1. */
const again = (bus: Bus, letter: DeadLetter, { id, edit }: { id: string; edit: LetterEdit | undefined }): OutgoingRecord => {
  const { topic, partition, offset } = letter.failure.origin
  if (edit !== undefined) keepIdentity(letter, edit)
  const headers = {
    ce_id: `${topic}/${partition}/${offset}`,
    ...(edit?.headers ?? letter.headers),
    [HEADER.redriveId]: id,
    [HEADER.redriveHistory]: encodeHistory(letter),
  }
  const record = { topic, key: letter.key, value: edit?.value ?? letter.value, headers }
  return partition < bus.partitions(topic) ? { ...record, partition } : record
}

/** X4. */
const keepIdentity = ({ headers }: DeadLetter, edit: LetterEdit): void => {
  const changed = IDENTITY_HEADERS.find((name) => headers[name] !== edit.headers[name])
  if (changed !== undefined)
    throw new Fault('request.malformed', `an edit leaves the header ${changed} as it is: it says which message this is`, {
      field: `headers.${changed}`,
    })
}
