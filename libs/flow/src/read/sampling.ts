// How freely a model answers a prompt: pinned with the prompt, so that a step is asked the same way whichever model answers.
import type { Sampling } from '../plan.ts'
import type { Syntax } from '../source/syntax.ts'
import { type Fields, readCount, type ReadContext } from './context.ts'
import { describe } from '../source/syntax.ts'

const TEMPERATURE_MAX = 2
const SEED_MAX = 2_147_483_647

const readTemperature = (node: Syntax, context: ReadContext): number | undefined => {
  const value = node.kind === 'scalar' ? node.value : undefined
  if (typeof value === 'number' && value >= 0 && value <= TEMPERATURE_MAX) return value
  context.report.add(node, 'literal.range', `temperature must be a number from 0 to ${TEMPERATURE_MAX}, not ${describe(node)}`)
  return undefined
}

/** `temperature` and `seed` of a prompt; undefined where it names neither. */
export const readSampling = (fields: Fields, context: ReadContext): Sampling | undefined => {
  const temperature = fields.read('temperature', (node) => readTemperature(node, context))
  const seed = fields.read('seed', (node) => readCount(node, { what: 'seed', min: 0, max: SEED_MAX, context }))
  if (temperature === undefined && seed === undefined) return undefined
  return { ...(temperature === undefined ? {} : { temperature }), ...(seed === undefined ? {} : { seed }) }
}
