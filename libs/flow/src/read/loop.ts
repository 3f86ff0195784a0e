import { defined } from '../defined.ts'
import type { Syntax } from '../source/syntax.ts'
import type { BodyTree } from '../tree.ts'
import { readCondition, readCount, readFields, type Fields } from './context.ts'
import type { Site } from './site.ts'

/** Keys beside `loop`. */
export const LOOP_KEYS = ['do']
const MAX_ROUNDS = 1_000

/** `loop: { max, until }` or `loop: 5`, with `do: [steps]` beside it. A loop without a cap is a mistake that a check reports. */
export const readLoop = (node: Syntax, step: Fields, { id, context, nested }: Site): BodyTree | undefined => {
  const rounds = (value: Syntax): number | undefined => readCount(value, { what: 'max', min: 1, max: MAX_ROUNDS, context })
  const fields = node.kind === 'scalar' ? undefined : readFields(node, { what: 'loop', known: ['max', 'until'], context })
  const max = node.kind === 'scalar' ? rounds(node) : fields?.read('max', rounds)
  const until = fields?.read('until', (value) => readCondition(value, 'until', context))
  const bodyNode = step.get('do')
  if (bodyNode === undefined) {
    context.report.add(step.keyAt('loop'), 'flow.missing_key', 'a loop needs what to do', 'do: [{ draft: Improve {{ it }} }]')
    return undefined
  }
  const body = nested.block(bodyNode, { id: `${id}/do`, place: 'loop' })
  return body === undefined ? undefined : { kind: 'loop', body, ...defined({ max, until }) }
}
