// What a run may do as a whole: where it comes to, what it waits for, what it may use up, and what it must not do unasked.
import type { Report } from '../diagnostic.ts'
import type { FlowTree } from '../tree.ts'
import { checkCaches } from './caches.ts'
import { checkCaps } from './caps.ts'
import { checkConfidence } from './confidence.ts'
import { checkFlowCycles } from './cycles.ts'
import { checkEffects } from './effects.ts'
import { checkJoins } from './joins.ts'
import { checkReach } from './reach.ts'
import { checkTimes } from './times.ts'

const CHECKS: readonly ((tree: FlowTree, report: Report) => void)[] = [
  checkReach,
  checkJoins,
  checkCaps,
  checkTimes,
  checkEffects,
  checkCaches,
  checkConfidence,
  (tree, report) => {
    checkFlowCycles([tree], () => report)
  },
]

/** Reports what is wrong with the ways through a flow. Takes time linear in its size, however many ways there are. */
export const checkControl = (tree: FlowTree, report: Report): void => {
  for (const check of CHECKS) check(tree, report)
}
