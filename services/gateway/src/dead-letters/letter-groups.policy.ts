import { redactText } from '@baton/service'
import type { DeskLetter } from './letter-desk.ts'
import { letterId } from './letter-id.ts'

const TENANTS_MAX = 20

/** Letters that are one trouble. */
export type LetterGroup = {
  readonly fingerprint: string
  readonly code: string
  /** Of the newest letter. */
  readonly message: string
  readonly count: number
  readonly services: readonly string[]
  readonly tenants: readonly string[]
  readonly firstSeenAtMs: number
  readonly lastSeenAtMs: number
  /** The newest letter. */
  readonly example: string
}

/** Groups letters by fingerprint; the one with the newest letter comes first. */
export const groupLetters = (letters: Iterable<DeskLetter>): readonly LetterGroup[] => {
  const groups = new Map<string, { newest: DeskLetter; oldestMs: number; count: number; services: Set<string>; tenants: Set<string> }>()
  for (const letter of letters) {
    const group = groups.get(letter.fingerprint)
    if (group === undefined) {
      const { service, tenant, deadAtMs } = letter
      groups.set(letter.fingerprint, {
        newest: letter,
        oldestMs: deadAtMs,
        count: 1,
        services: new Set([service]),
        tenants: new Set([tenant]),
      })
      continue
    }
    group.count++
    group.services.add(letter.service)
    if (group.tenants.size < TENANTS_MAX) group.tenants.add(letter.tenant)
    group.oldestMs = Math.min(group.oldestMs, letter.deadAtMs)
    if (letter.deadAtMs >= group.newest.deadAtMs) group.newest = letter
  }
  return [...groups.values()]
    .map(({ newest, oldestMs, count, services, tenants }) => ({
      fingerprint: newest.fingerprint,
      code: newest.code,
      message: redactText(newest.message),
      count,
      services: [...services],
      tenants: [...tenants],
      firstSeenAtMs: oldestMs,
      lastSeenAtMs: newest.deadAtMs,
      example: letterId(newest),
    }))
    .toSorted((one, other) => other.lastSeenAtMs - one.lastSeenAtMs || one.fingerprint.localeCompare(other.fingerprint))
}
