// A cache stands only where an answer can be given again: a call that has an effect is always made.
import type { Report } from '../diagnostic.ts'
import type { FlowTree } from '../tree.ts'
import { everyStep, nameOf } from './blocks.ts'

/** Reports caches of tools that do not only read. */
export const checkCaches = (tree: FlowTree, report: Report): void =>
  everyStep(tree, (step) => {
    if (step.cache === undefined || step.kind !== 'tool' || step.effect === 'read') return
    const why = step.effect === undefined ? 'does not say that it only reads' : `has the effect ${step.effect}`
    report.add(step.at, 'cache.never_used', `${nameOf(step)} has a cache and ${why}, so every call is made`, 'effect: read, or no cache')
  })
