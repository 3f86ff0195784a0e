// Steps that meet the world outside the run: wait for a time or an event, emit one, run another flow.
import { defined } from '../defined.ts'
import { describe, type Syntax } from '../source/syntax.ts'
import type { BodyTree } from '../tree.ts'
import { readCondition, readDuration, readFields, readText, readValue, type Fields } from './context.ts'
import { readCaps } from './limits.ts'
import { readName, readTopic, type Site } from './site.ts'

/** Keys beside `flow` and `agent`. */
export const LIMITED_KEYS = ['limits']

/** `wait: 10m`, or `wait: { event, match, key, timeout }`; the timeout is read with the fields of the step. */
export const readWait = (node: Syntax, { context }: Site): BodyTree | undefined => {
  if (node.kind === 'scalar') {
    const forMs = readDuration(node, 'wait', context)
    return forMs === undefined ? undefined : { kind: 'wait', forMs }
  }
  const fields = readFields(node, { what: 'wait', known: ['event', 'match', 'key', 'timeout'], context })
  if (fields === undefined) return undefined
  const eventNode = fields.get('event')
  if (eventNode === undefined) {
    context.report.add(node, 'flow.missing_key', 'wait needs a time or an event', 'wait: 10m, or wait: { event: payment/confirmed }')
    return undefined
  }
  const event = readName(eventNode, 'an event', context)
  const match = fields.read('match', (value) => readCondition(value, 'match', context))
  const key = fields.read('key', (value) => readValue(value, context))
  return event === undefined ? undefined : { kind: 'event', event, ...defined({ match, key }) }
}

/** `emit: TOPIC`, or topic, type and key. */
export const readEmit = (node: Syntax, { context }: Site): BodyTree | undefined => {
  if (node.kind === 'scalar') {
    const topic = readTopic(node, 'emit', context)
    return topic === undefined ? undefined : { kind: 'emit', topic }
  }
  const fields = readFields(node, { what: 'emit', known: ['topic', 'type', 'key'], context })
  if (fields === undefined) return undefined
  if (!fields.has('topic')) context.report.add(node, 'flow.missing_key', 'emit needs a topic', 'emit: { topic: orders }')
  const topic = fields.read('topic', (value) => readTopic(value, 'topic', context))
  const type = fields.read('type', (value) => readName(value, 'type', context))
  const key = fields.read('key', (value) => readValue(value, context))
  return topic === undefined ? undefined : { kind: 'emit', topic, ...defined({ type, key }) }
}

const FLOW = /^([a-z0-9][a-z0-9_-]*\/[a-z0-9][a-z0-9_-]*)(?:@([\w.-]+))?$/
const FLOW_LIMITS = ['time', 'total', 'steps', 'cost', 'tokens', 'calls', 'depth'] as const

/** `flow: namespace/name`, with @version or @alias. */
export const readSubFlow = (node: Syntax, step: Fields, { context }: Site): BodyTree | undefined => {
  const text = readText(node, 'flow', context)
  const limits = step.read('limits', (value) => readCaps(value, { what: 'limits', known: FLOW_LIMITS, context }))
  if (text === undefined) return undefined
  const match = FLOW.exec(text)
  if (match?.[1] !== undefined) return { kind: 'flow', flow: match[1], ...defined({ version: match[2], limits }) }
  context.report.add(node, 'name.invalid', `a flow is namespace/name, namespace/name@1.0.0 or namespace/name@stable, not ${describe(node)}`)
  return undefined
}
