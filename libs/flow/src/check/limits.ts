import type { Report } from '../diagnostic.ts'
import { peopleMs } from '../plan.ts'
import type { FlowTree, StepTree } from '../tree.ts'
import { walkFlow } from './walk.ts'

/** Most steps in one flow, those inside outcomes included. */
const MAX_STEPS = 1_000

/** Longest name of a flow: requests and topics carry it. */
const MAX_NAME_CHARS = 200

/** Reports times that can never be used up, because one around them is shorter, and what is larger than a flow may be. */
export const checkLimits = (tree: FlowTree, report: Report): void => {
  let count = 0
  walkFlow(tree, {
    step: (step) => {
      count++
      checkWait(step, tree, report)
      checkTimeout(step, tree, report)
      if (step.kind === 'human' && peopleMs(step.human) > tree.limits.totalMs) {
        report.add(
          step.slaAt,
          'limit.exceeded',
          `people have ${peopleMs(step.human)} ms here, but the flow ends after ${tree.limits.totalMs} ms (limits.total)`,
        )
      }
    },
  })
  if (tree.flow.length > MAX_NAME_CHARS)
    report.add(tree.at, 'name.invalid', `the name of the flow has ${tree.flow.length} characters; at most ${MAX_NAME_CHARS} are allowed`)
  if (count > MAX_STEPS) report.add(tree.at, 'flow.too_large', `the flow has ${count} steps; at most ${MAX_STEPS} are allowed`)
}

/** People and events may be waited for inside a step that is made of others: its time is that of the wall clock. */
const WHOLE: ReadonlySet<string> = new Set(['parallel', 'map', 'vote', 'loop', 'flow'] satisfies readonly StepTree['kind'][])

const checkTimeout = ({ kind, timeoutMs, timeoutAt, at }: StepTree, { limits }: FlowTree, report: Report): void => {
  const whole = WHOLE.has(kind)
  const limitMs = whole ? limits.totalMs : limits.timeMs
  if (kind === 'event' || timeoutMs === undefined || timeoutMs <= limitMs) return
  report.add(
    timeoutAt ?? at,
    'limit.exceeded',
    whole
      ? `this step may take ${timeoutMs} ms, but the flow ends after ${limitMs} ms (limits.total)`
      : `one try may take ${timeoutMs} ms, but the whole flow has ${limitMs} ms (limits.time)`,
  )
}

/** Waiting is no work: it counts against the wall clock only. */
const checkWait = (step: StepTree, { limits }: FlowTree, report: Report): void => {
  const ms = step.kind === 'wait' ? step.forMs : step.kind === 'event' ? step.timeoutMs : undefined
  if (ms === undefined || ms <= limits.totalMs) return
  report.add(
    step.timeoutAt ?? step.at,
    'limit.exceeded',
    `this waits ${ms} ms, but the flow ends after ${limits.totalMs} ms (limits.total)`,
  )
}
