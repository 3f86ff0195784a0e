// A dead letter for people.
import { duration } from '../print/table.ts'

/** A dead letter in a list. */
export type LetterItem = {
  readonly id: string
  readonly tenant: string
  readonly originTopic: string
  readonly code: string
  readonly message: string
  readonly fingerprint: string
  readonly attempts: number
  readonly redrives: number
  readonly state: string
  readonly failedAtMs: number
  readonly daysLeft: number
}

/** One dead letter. */
export type Letter = LetterItem & {
  readonly key: string
  readonly headers: Readonly<Record<string, string>>
  readonly origin: { readonly topic: string; readonly partition: number; readonly offset: number }
  readonly detail?: Readonly<Record<string, unknown>>
  readonly frames: readonly string[]
  readonly first: { readonly atMs: number; readonly code: string; readonly message: string }
  readonly history: readonly { readonly attempt: number; readonly atMs: number; readonly code: string }[]
  readonly actions: readonly {
    readonly action: string
    readonly atMs: number
    readonly by?: string
    readonly reason?: string
    readonly changes?: readonly Change[]
  }[]
  readonly decoded: { readonly contract: string | null; readonly problem?: string; readonly data: unknown }
  readonly value: string
}

/** One thing an edit changed. */
export type Change = { readonly at: string; readonly before?: string; readonly after?: string }

const time = (atMs: number): string => new Date(atMs).toISOString()

/** How long ago. */
export const ago = (atMs: number): string => duration(Math.max(0, Date.now() - atMs))

export const changeText = ({ at, before, after }: Change): string => `${at}: ${before ?? '(none)'} -> ${after ?? '(none)'}`

const section = (title: string, lines: readonly string[]): readonly string[] =>
  lines.length === 0 ? [] : ['', `${title}:`, ...lines.map((line) => `  ${line}`)]

/** Cause first, then what led there, then the message. */
export const letterText = (letter: Letter): string => {
  const { id, code, message, fingerprint, state, daysLeft, failedAtMs, attempts, redrives, tenant, key, origin, decoded } = letter
  const body = decoded.data === null ? letter.value : JSON.stringify(decoded.data, null, 2)
  return [
    `${id}  ${state}, kept for ${daysLeft} more days`,
    `${code}: ${message}`,
    `from ${origin.topic}/${origin.partition}/${origin.offset}, key ${key}, tenant ${tenant}, kind ${fingerprint}`,
    `died ${time(failedAtMs)} after ${attempts} ${attempts === 1 ? 'try' : 'tries'}${redrives === 0 ? '' : `, redriven ${redrives} times before`}`,
    ...section('where', letter.frames),
    ...section(
      'detail',
      Object.entries(letter.detail ?? {}).map(([name, value]) => `${name}: ${String(value)}`),
    ),
    ...section(
      'tries',
      letter.history.map((one) => `${time(one.atMs)}  ${one.attempt}  ${one.code}`),
    ),
    ...section('first failure', redrives === 0 ? [] : [`${time(letter.first.atMs)}  ${letter.first.code}: ${letter.first.message}`]),
    ...section(
      'done with it',
      letter.actions.flatMap(({ action, atMs, by, reason, changes = [] }) => [
        `${time(atMs)}  ${action}${by === undefined ? '' : ` by ${by}`}${reason === undefined ? '' : `: ${reason}`}`,
        ...changes.map((change) => `  ${changeText(change)}`),
      ]),
    ),
    ...section(
      'headers',
      Object.entries(letter.headers).map(([name, value]) => `${name}: ${value}`),
    ),
    ...section(decoded.contract ?? 'message', [
      ...(decoded.problem === undefined ? [] : [`cannot be read: ${decoded.problem}`]),
      ...body.split('\n'),
    ]),
  ].join('\n')
}
