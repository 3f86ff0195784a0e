// The way a run took, in words that a test can compare.
import type { JournalMessage } from '@baton/engine/memory'

/** One thing that happened on the way: `answer`, or with what was decided there: `facts: refund`. */
export type Passed = {
  readonly path: string
  /** Absent: the step gave its output. */
  readonly word?: string
  readonly kind: string
  readonly nodeId: string
  readonly runId: string
}

/** What an event of the journal says of the way; undefined for what is no part of it. */
export const passedOf = ({ name, data }: JournalMessage): Passed | undefined => {
  switch (name) {
    case 'journal.step.completed':
      return { path: data.path, kind: data.kind, nodeId: data.nodeId, runId: data.runId }
    case 'journal.step.decided':
      return { path: data.path, word: data.chosen, kind: data.kind, nodeId: data.nodeId, runId: data.runId }
    case 'journal.step.failed':
      return { path: data.path, word: data.fault.code, kind: data.kind, nodeId: data.nodeId, runId: data.runId }
    default:
      return undefined
  }
}

/** A piece of the way as text. */
export const pathText = ({ path, word }: Passed): string => (word === undefined ? path : `${path}: ${word}`)

/** Whether a name means a path: all of it, its end, or either without the numbers of items and rounds. */
export const isPath = (path: string, name: string): boolean => {
  const plain = path.replaceAll(/\[\d+\]/g, '')
  return [path, plain].some((one) => one === name || one.endsWith(`/${name}`))
}

/** Whether a line of a test means a piece of the way: `facts` any of it at this step, `facts: refund` that decision. */
export const isPassed = (passed: Passed, line: string): boolean => {
  const colon = line.indexOf(': ')
  if (colon < 0) return isPath(passed.path, line)
  return passed.word === line.slice(colon + 2) && isPath(passed.path, line.slice(0, colon))
}

/** The first line that does not come after those before it; undefined when all do. */
export const firstMissing = (way: readonly Passed[], lines: readonly string[]): number | undefined => {
  let at = 0
  for (const [index, line] of lines.entries()) {
    const found = way.findIndex((passed, position) => position >= at && isPassed(passed, line))
    if (found < 0) return index
    at = found + 1
  }
  return undefined
}
