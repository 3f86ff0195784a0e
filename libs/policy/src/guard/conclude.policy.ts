// From looks to one verdict, and to one text without what was found.
import { GUARD_ACTIONS, type Deadline, type Finding, type Guard, type GuardAction, type GuardVerdict } from './guard.ts'
import { replaced } from './spans.policy.ts'

/** After so many rounds a text that still has findings is replaced whole: it is made to be found in. */
const ROUNDS_MAX = 8

const rounded = (value: number): number => Math.round(value * 1e4) / 1e4

/** What one guard finds in a text, with what is to be done. */
export const findingsOf = (
  guard: Guard,
  text: string,
  deadline: Deadline,
): { readonly findings: readonly Finding[]; readonly risk: number } => {
  const { spans, risk } = guard.inspect(text, deadline)
  return { findings: spans.map((span) => ({ ...span, guard: guard.name, action: guard.actionOf(span.kind) })), risk }
}

/** The strongest action of findings. */
const strongest = (findings: readonly Finding[]): GuardAction | 'none' =>
  GUARD_ACTIONS.find((action) => findings.some((finding) => finding.action === action)) ?? 'none'

const reasonOf = (findings: readonly Finding[]): string => {
  const counts = new Map<string, number>()
  for (const { kind } of findings) counts.set(kind, (counts.get(kind) ?? 0) + 1)
  const kinds = [...counts].slice(0, 8).map(([kind, count]) => (count === 1 ? kind : `${kind} (${count})`))
  return `found ${kinds.join(', ')}${counts.size > kinds.length ? ' and more' : ''}`
}

/** The verdict on findings (G2): not ok where one blocks or asks. */
export const concluded = (findings: readonly Finding[], risk: number): GuardVerdict => {
  const action = strongest(findings)
  return {
    ok: action !== 'block' && action !== 'ask',
    action,
    score: rounded(1 - Math.min(1, Math.max(0, risk))),
    reason: findings.length === 0 ? 'nothing found' : reasonOf(findings),
    findings: findings.map((finding) => ({ ...finding, score: rounded(finding.score) })),
  }
}

/** The text without what the guard redacts (G3): it is looked at again until nothing is left to redact. */
export const redactedBy = (guard: Guard, text: string, deadline: Deadline): string => {
  let current = text
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const spans = guard.inspect(current, deadline).spans.filter(({ kind }) => guard.actionOf(kind) === 'redact')
    if (spans.length === 0) return current
    current = replaced(current, spans, ({ kind }) => guard.placeholderOf(kind))
  }
  return '[REDACTED]'
}

/** The text without what any of the guards redacts. */
export const redactedByAll = (guards: readonly Guard[], text: string, deadline: Deadline): string => {
  let current = text
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const next = guards.reduce((left, guard) => redactedBy(guard, left, deadline), current)
    if (next === current) return current
    current = next
  }
  return '[REDACTED]'
}

/** What guards find in one text, and the text as it may go on: what a step's `guard` and the checks use. */
export const guarded = (guards: readonly Guard[], text: string, deadline: Deadline): GuardVerdict & { readonly text?: string } => {
  const looks = guards.map((guard) => findingsOf(guard, text, deadline))
  const findings = looks.flatMap((look) => look.findings)
  const verdict = concluded(findings, Math.max(0, ...looks.map(({ risk }) => risk)))
  const redacts = findings.some(({ action }) => action === 'redact')
  return redacts ? { ...verdict, text: redactedByAll(guards, text, deadline) } : verdict
}
