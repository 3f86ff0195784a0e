// A query over letters: a CEL condition, compiled once, over what is known of a letter and what its message says.
//   Q1. Only the condition is ever evaluated; what a message holds is data.
//   Q2. A letter of which the condition cannot be said, as when a field is not there, is not meant; it is counted.
import type { DeadLetter, LetterSummary } from '@baton/bus'
import { Fault, type Json, type ServiceName } from '@baton/contracts'
import { loadCondition } from '@baton/flow'
import { letterId } from './letter-id.ts'

/** What a condition may name. */
const LETTER_NAMES = [
  'id',
  'service',
  'key',
  'tenant',
  'topic',
  'type',
  'fingerprint',
  'fault',
  'attempts',
  'redrives',
  'bytes',
  'deadAt',
  'deadAtMs',
  'firstFailedAtMs',
  'headers',
  'data',
] as const

/** Largest message whose content a condition sees. */
const DATA_BYTES_MAX = 1_048_576

export type LetterQuery = (service: ServiceName, summary: LetterSummary, letter: DeadLetter) => boolean | 'undecided'

/** Throws `request.malformed` for a condition that cannot be compiled. */
export const letterQuery = (cel: string): LetterQuery => {
  const condition = loadCondition(cel, { names: LETTER_NAMES, field: 'where' })
  return (service, summary, letter) => {
    const { key, tenant, type = '', fingerprint, attempts, redrives, bytes, deadAtMs, firstFailedAtMs, originTopic: topic } = summary
    const { fault } = letter.failure
    const values: Record<(typeof LETTER_NAMES)[number], Json> = {
      id: letterId({ service, offset: letter.offset }),
      service,
      key,
      tenant,
      topic,
      type,
      fingerprint,
      fault: { code: summary.code, message: fault?.message ?? '', detail: { ...fault?.detail } },
      attempts,
      redrives,
      bytes,
      deadAt: new Date(deadAtMs).toISOString(),
      deadAtMs,
      firstFailedAtMs,
      headers: { ...letter.headers },
      data: dataOf(letter.value),
    }
    try {
      return condition.test(values) // Q1
    } catch (error) {
      if (error instanceof Fault) return 'undecided' // Q2
      throw error
    }
  }
}

const dataOf = (value: Buffer): Json => {
  if (value.length > DATA_BYTES_MAX) return null
  try {
    return JSON.parse(value.toString('utf8'))
  } catch {
    return null // It may lie here for that.
  }
}
