import type { Json } from '@baton/contracts/json'
import type { FlowChange, FlowDiff } from './diff.ts'

const LONG = 100

/** A difference as text: a line a change, what was and what is below where that is long. */
export const diffText = ({ before, after, same, changes, incompatible }: FlowDiff): string => {
  const title = `${before.flow}@${before.version} (plan ${before.hash.slice(0, 12)}) → ${after.flow}@${after.version} (plan ${after.hash.slice(0, 12)})`
  if (changes.length === 0) return `${title}\nthe plan is the same: nothing changes in behaviour`
  const lines = changes.flatMap(changeLines)
  const verdict = same
    ? 'only the name or version differs: nothing changes in behaviour'
    : `${changes.length} change${changes.length === 1 ? '' : 's'} in behaviour`
  return [
    title,
    ...lines,
    ...incompatible.map(({ message, fix }) => `! schema.incompatible: ${message}, and the version is still ${after.version}; ${fix}`),
    verdict,
  ].join('\n')
}

const SIGNS: Readonly<Record<FlowChange['change'], string>> = { added: '+', removed: '-', changed: '~', moved: '~' }

const changeLines = ({ area, at, change, what, before, after, breaks }: FlowChange): readonly string[] => {
  const place = area === at || area === 'flow' ? at : `${area} ${at}`
  const subject = what === at || what === 'step' ? place : `${place}: ${what}`
  const head = `${SIGNS[change]} ${subject}${breaks ? ' (callers see this)' : ''}`
  const [old, now] = [shown(before), shown(after)]
  if (change === 'added') return [`${head}: ${now}`]
  if (change === 'removed') return [`${head}: ${old}`]
  if (old.length + now.length <= LONG && !old.includes('\n') && !now.includes('\n')) return [`${head}: ${old} → ${now}`]
  return [head, ...lineDiff(old, now)]
}

const shown = (value: Json): string => {
  if (typeof value === 'string') return value
  if (Array.isArray(value) && value.every((item) => typeof item === 'string'))
    return value.length < 2 ? (value[0] ?? '[]') : value.join('\n')
  return value !== null && typeof value === 'object' ? JSON.stringify(value, null, 1).replaceAll(/\n\s*/g, ' ') : JSON.stringify(value)
}

/** Lines that went and came; those that stay are left out. */
const lineDiff = (before: string, after: string): readonly string[] => {
  const [old, now] = [before.split('\n'), after.split('\n')]
  return [
    ...old.filter((line) => !now.includes(line)).map((line) => `    - ${line}`),
    ...now.filter((line) => !old.includes(line)).map((line) => `    + ${line}`),
  ]
}
