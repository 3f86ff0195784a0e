// A dead letter as it is read from its topic, and the marks that are put beside it there when somebody did something with it.
import { Fault } from '@baton/contracts/fault'
import type { BusRecord, OutgoingRecord } from '../bus.ts'
import { decodeAttempts, encodeAttempts, withAttempts, type AttemptNote } from '../lanes/attempt-log.ts'
import { decodeFailure, HEADER, withoutFailure, type FailureRecord } from '../lanes/failure-record.ts'
import { fingerprintOf } from './fingerprint.ts'

const REASON_CHARS_MAX = 1_000
const FIRST_MESSAGE_CHARS_MAX = 500
const CHANGES_MAX = 50
const CHANGE_CHARS_MAX = 300

/** Where a letter lies. */
export type LetterPlace = { readonly partition: number; readonly offset: number }

/** One thing that an edit changed: a header, or a place in the body. Texts are shortened, and whoever made them left secrets out. */
export type LetterChange = { readonly at: string; readonly before?: string; readonly after?: string }

/** Something done with a letter, as it is kept beside it. */
export type LetterAction = {
  readonly action: 'redriven' | 'discarded'
  readonly atMs: number
  /** The redrive it was part of; of a discard its own id. */
  readonly id: string
  readonly by?: string
  readonly reason?: string
  /** What was sent instead of the letter as it is. */
  readonly changes?: readonly LetterChange[]
}

/** The first time a message failed, before any redrive. */
type FirstFailure = { readonly atMs: number; readonly code: string; readonly message: string }

export type DeadLetter = LetterPlace & {
  readonly key: string
  readonly value: Buffer
  /** The message's own headers, as its sender wrote them. */
  readonly headers: Readonly<Record<string, string>>
  readonly failure: FailureRecord
  /** When it came to the dead letters. */
  readonly deadAtMs: number
  readonly fingerprint: string
  /** Every failed try that is known, over all redrives, the first one first. */
  readonly history: readonly AttemptNote[]
  readonly first: FirstFailure
  /** How often it had been sent again before it came here. */
  readonly redrives: number
  /** The redrive it came back from. */
  readonly redriveId?: string
  readonly state: 'open' | 'redriven' | 'discarded'
  /** It was sent again already. */
  readonly redriven: boolean
  /** What was done with it since, oldest first. */
  readonly actions: readonly LetterAction[]
}

/** Reads a letter; undefined for a record that is none. `actions` are those of the marks found so far. */
export const letterOf = (record: BusRecord, actions: readonly LetterAction[]): DeadLetter | undefined => {
  const failure = decodeFailure(record)
  if (failure === undefined) return undefined
  const { partition, offset, key, value, timestampMs: deadAtMs } = record
  const {
    [HEADER.redriveId]: redriveId,
    [HEADER.redriveHistory]: before,
    [HEADER.redrivenOf]: _redriven,
    [HEADER.discardedOf]: _discarded,
    ...headers
  } = withoutFailure(record.headers)
  const { fault, frames = [], log = [] } = failure
  const past = decodeHistory(before) ?? { redrives: 0, first: firstOf(failure, deadAtMs), attempts: [] }
  const state = actions.at(-1)?.action ?? 'open'
  return {
    partition,
    offset,
    key,
    value,
    headers,
    failure,
    deadAtMs,
    fingerprint: fingerprintOf(fault, frames),
    history: withAttempts(past.attempts, log),
    first: past.first,
    redrives: past.redrives,
    ...(redriveId === undefined ? {} : { redriveId }),
    state,
    redriven: state === 'redriven',
    actions,
  }
}

const firstOf = ({ fault, firstFailedAtMs, log }: FailureRecord, deadAtMs: number): FirstFailure => ({
  atMs: log?.[0]?.atMs ?? firstFailedAtMs ?? deadAtMs,
  code: log?.[0]?.code ?? fault?.code ?? 'handler.failed',
  message: (fault?.message ?? '').slice(0, FIRST_MESSAGE_CHARS_MAX),
})

/** What a redriven message carries of its past, for the case that it fails again. */
type History = { readonly redrives: number; readonly first: FirstFailure; readonly attempts: readonly AttemptNote[] }

/** The past of a letter, for the header of the message it becomes. */
export const encodeHistory = ({ redrives, first, history }: DeadLetter): string =>
  JSON.stringify({ redrives: redrives + 1, first, attempts: encodeAttempts(history) })

/** Whatever a stranger wrote there: what cannot be a past of ours is none. */
const decodeHistory = (text: string | undefined): History | undefined => {
  const past = parsed(text)
  const first = past?.['first']
  const { redrives, attempts } = past ?? {}
  if (typeof first !== 'object' || first === null || typeof redrives !== 'number' || typeof attempts !== 'string') return undefined
  const { atMs, code, message } = first as Readonly<Record<string, unknown>> // an object, as was just seen
  if (typeof atMs !== 'number' || typeof code !== 'string' || typeof message !== 'string') return undefined
  return {
    redrives: Math.max(0, Math.trunc(redrives)),
    first: { atMs, code: code.slice(0, 64), message: message.slice(0, FIRST_MESSAGE_CHARS_MAX) },
    attempts: decodeAttempts(attempts),
  }
}

/** The mark of an action, beside its letter. */
export const markOf = (
  topic: string,
  { key, partition, offset }: Pick<DeadLetter, 'key' | 'partition' | 'offset'>,
  action: LetterAction,
): OutgoingRecord => ({
  topic,
  partition,
  key,
  value: Buffer.from(JSON.stringify(shortened(action))),
  headers: {
    [action.action === 'redriven' ? HEADER.redrivenOf : HEADER.discardedOf]: String(offset),
    ...(action.action === 'redriven' ? { [HEADER.redriveId]: action.id } : {}),
  },
})

const shortened = ({ reason, changes, ...action }: LetterAction): LetterAction => ({
  ...action,
  ...(reason === undefined ? {} : { reason: reason.slice(0, REASON_CHARS_MAX) }),
  ...(changes === undefined
    ? {}
    : {
        changes: changes.slice(0, CHANGES_MAX).map(({ at, before, after }) => ({
          at: at.slice(0, CHANGE_CHARS_MAX),
          ...(before === undefined ? {} : { before: before.slice(0, CHANGE_CHARS_MAX) }),
          ...(after === undefined ? {} : { after: after.slice(0, CHANGE_CHARS_MAX) }),
        })),
      }),
})

/** What a mark says, and about which letter; undefined for a record that is no mark. A letter can carry such headers, a mark no failure. */
export const readMark = (record: BusRecord): { readonly offset: number; readonly action: LetterAction } | undefined => {
  const { headers, value, timestampMs } = record
  if (headers[HEADER.originTopic] !== undefined) return undefined
  const redriven = headers[HEADER.redrivenOf]
  const of = redriven ?? headers[HEADER.discardedOf]
  if (of === undefined || !/^\d{1,15}$/.test(of)) return undefined
  const said = parsed(value.toString('utf8')) ?? {}
  const { id, by, reason, changes } = said
  return {
    offset: Number(of),
    action: {
      action: redriven === undefined ? 'discarded' : 'redriven',
      atMs: timestampMs,
      id: typeof id === 'string' ? id : (headers[HEADER.redriveId] ?? ''),
      ...(typeof by === 'string' ? { by } : {}),
      ...(typeof reason === 'string' ? { reason } : {}),
      ...(Array.isArray(changes) ? { changes: changes as readonly LetterChange[] } : {}), // written by `markOf`
    },
  }
}

const parsed = (text: string | undefined): Readonly<Record<string, unknown>> | undefined => {
  try {
    const value: unknown = JSON.parse(text ?? 'null')
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Readonly<Record<string, unknown>>) : undefined
  } catch {
    return undefined // A mark from before marks said more than where; its headers say that.
  }
}

/** `request.not_found` for a place where no letter lies. */
export const noLetter = (topic: string, { partition, offset }: LetterPlace): Fault =>
  new Fault('request.not_found', `there is no dead letter at ${partition}/${offset} of ${topic}`, { topic, partition, offset })
