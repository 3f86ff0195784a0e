// What starts a flow beside a request: a topic, an HTTP request, a schedule.
import { defined } from '../defined.ts'
import { describe, type Syntax } from '../source/syntax.ts'
import { cronProblem, isZone } from '../source/schedule.ts'
import type { TriggerTree } from '../tree.ts'
import { readCondition, readDuration, readFields, readMarked, readText, readValue, type Fields, type ReadContext } from './context.ts'
import { readTopic } from './site.ts'

const KEYS = ['topic', 'key', 'http', 'schedule', 'every', 'zone', 'when', 'input']
/** Words that say what starts the flow, each with the others that mean something beside it. */
const BESIDE = { topic: ['key', 'when', 'input'], http: ['when', 'input'], schedule: ['zone', 'input'], every: ['input'] } as const
const STARTS = ['topic', 'http', 'schedule', 'every'] as const

/** The list of triggers. */
export const readTriggers = (node: Syntax | undefined, context: ReadContext): readonly TriggerTree[] => {
  if (node === undefined) return []
  if (node.kind === 'list') return node.items.map((item) => readTrigger(item, context)).filter((trigger) => trigger !== undefined)
  context.report.add(node, 'flow.wrong_type', `triggers are a list, not ${describe(node)}`, 'triggers: [{ topic: tickets }]')
  return []
}

const readTrigger = (node: Syntax, context: ReadContext): TriggerTree | undefined => {
  const fields = readFields(node, { what: 'a trigger', known: KEYS, context })
  if (fields === undefined) return undefined
  const [kind, another] = STARTS.filter((word) => fields.has(word))
  if (kind === undefined || another !== undefined) {
    const message =
      another === undefined ? 'a trigger is a topic, http, schedule or every' : `a trigger is one thing, not ${kind} and ${another}`
    context.report.add(another === undefined ? node : fields.keyAt(another), 'trigger.invalid', message, '{ topic: tickets }')
    return undefined
  }
  for (const key of KEYS)
    if (fields.has(key) && key !== kind && !BESIDE[kind].some((word) => word === key))
      context.report.add(fields.keyAt(key), 'flow.unknown_key', `"${key}" means nothing beside ${kind}`)
  const common = {
    at: node,
    ...defined({
      input: fields.read('input', (value) => readValue(value, context)),
      when: fields.read('when', (value) => readCondition(value, 'when', context)),
    }),
  }
  const start = readStart(kind, fields, context)
  return start === undefined ? undefined : { ...common, ...start }
}

type Start = TriggerTree extends infer Trigger ? (Trigger extends TriggerTree ? Omit<Trigger, 'at' | 'input' | 'when'> : never) : never

const readStart = (kind: (typeof STARTS)[number], fields: Fields, context: ReadContext): Start | undefined => {
  switch (kind) {
    case 'topic': {
      const topic = fields.read('topic', (value) => readTopic(value, 'topic', context))
      const key = fields.read('key', (value) => readMarked(value, 'key', context))
      return topic === undefined ? undefined : { kind: 'topic', topic, ...defined({ key }) }
    }
    case 'http':
      return fields.read('http', (value) => readHttp(value, context))
    case 'every': {
      const everyMs = fields.read('every', (value) => readDuration(value, 'every', context))
      return everyMs === undefined ? undefined : { kind: 'schedule', everyMs, zone: 'UTC' }
    }
    case 'schedule': {
      const zone = fields.read('zone', (value) => readZone(value, context)) ?? 'UTC'
      const cron = fields.read('schedule', (value) => readCron(value, context))
      return cron === undefined ? undefined : { kind: 'schedule', cron, zone }
    }
  }
}

const METHODS = ['GET', 'POST', 'PUT'] as const

/** `POST /path`; a path alone is a POST. */
const readHttp = (node: Syntax, context: ReadContext): Start | undefined => {
  const text = readText(node, 'http', context)
  if (text === undefined) return undefined
  const match = /^(?:([A-Z]+) +)?(\/[\w./{}-]*)$/.exec(text)
  const method = METHODS.find((word) => word === (match?.[1] ?? 'POST'))
  const path = match?.[2]
  if (method !== undefined && path !== undefined) return { kind: 'http', method, path }
  context.report.add(node, 'trigger.invalid', `http is GET, POST or PUT and a path, not "${text}"`, 'http: POST /tickets')
  return undefined
}

const readCron = (node: Syntax, context: ReadContext): string | undefined => {
  const text = readText(node, 'schedule', context)
  if (text === undefined) return undefined
  const problem = cronProblem(text)
  if (problem === undefined) return text.trim().split(/\s+/).join(' ')
  context.report.add(node, 'trigger.invalid', `the schedule "${text}" ${problem}`, '"0 6 * * 1-5" is at 6:00 from Monday to Friday')
  return undefined
}

const readZone = (node: Syntax, context: ReadContext): string | undefined => {
  const zone = readText(node, 'zone', context)
  if (zone === undefined || isZone(zone)) return zone
  context.report.add(node, 'trigger.invalid', `there is no time zone "${zone}"`, 'zone: Europe/Berlin')
  return undefined
}
