// What the kinds of steps mean for a trace.

/** Steps that do no work themselves, with the name of one of their parts. */
export const COMPOSED_PARTS = {
  parallel: 'branch',
  map: 'item',
  vote: 'voter',
  loop: 'round',
  agent: 'turn',
  team: 'task',
  flow: 'run',
  wait: 'wait',
  event: 'event',
} as const

export type ComposedKind = keyof typeof COMPOSED_PARTS

export const isComposed = (kind: string): kind is ComposedKind => Object.hasOwn(COMPOSED_PARTS, kind)

const WAITS: ReadonlySet<string> = new Set(['human', 'task', 'wait', 'event'])

/** Whether the time of such a step is waiting, for people, other teams, time or events. */
export const isWaiting = (kind: string): boolean => WAITS.has(kind)
