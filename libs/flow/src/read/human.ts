// Who is asked by a step, how urgent it is, who may answer, and what silence means.
import { defined } from '../defined.ts'
import type { HumanRung, HumanSpec } from '../plan.ts'
import { describe, type Syntax } from '../source/syntax.ts'
import type { BodyTree } from '../tree.ts'
import { readCount, readDuration, readEntries, readFields, readText, readTexts, readWord, readYesNo, type ReadContext } from './context.ts'
import { readName, type Site } from './site.ts'

const DAY_MS = 86_400_000
const PRIORITIES = ['emergency', 'high', 'normal', 'low'] as const
// Silence is never consent (E5): there is no word for going on, but for what is advisory.
const ON_TIMEOUT = ['fail', 'escalate'] as const
const RISKS = ['advisory', 'reversible', 'irreversible'] as const
const KINDS = ['approval', 'edit', 'question', 'label'] as const
const KEYS = ['queue', 'priority', 'sla', 'title', 'onTimeout', 'claim', 'chain', 'roles', 'skills', 'quorum', 'risk', 'kind', 'reasons']
const PEOPLE_MAX = 20
const RUNGS_MAX = 10

type Priority = Pick<HumanSpec, 'priority' | 'urgency'>

/** The name nearest to a number. */
const levelOf = (urgency: number): HumanSpec['priority'] => {
  if (urgency >= 90) return 'emergency'
  if (urgency >= 65) return 'high'
  return urgency >= 35 ? 'normal' : 'low'
}

const readPriority = (node: Syntax, context: ReadContext): Priority | undefined => {
  if (node.kind === 'scalar' && typeof node.value === 'number') {
    const urgency = node.value
    if (Number.isInteger(urgency) && urgency >= 0 && urgency <= 100) return { priority: levelOf(urgency), urgency }
    context.report.add(node, 'literal.range', `a priority is ${PRIORITIES.join(', ')}, or a whole number from 0 to 100`, '75')
    return undefined
  }
  const priority = readWord(node, { what: 'priority', words: PRIORITIES, context })
  return priority === undefined ? undefined : { priority }
}

/** A queue with the time of the step, or a queue with clocks and roles of its own. */
const readRung = (node: Syntax, slaMs: number, context: ReadContext): HumanRung | undefined => {
  if (node.kind !== 'map') {
    const queue = readName(node, 'a queue', context)
    return queue === undefined ? undefined : { queue, slaMs }
  }
  const fields = readFields(node, { what: 'a rung of the chain', known: ['queue', 'sla', 'claim', 'roles'], context })
  const queue = fields?.read('queue', (value) => readName(value, 'a queue', context))
  if (fields === undefined || queue === undefined) {
    if (fields?.has('queue') === false) context.report.add(node, 'flow.missing_key', 'a rung of the chain needs a queue', 'queue: leads')
    return undefined
  }
  return {
    queue,
    slaMs: fields.read('sla', (value) => readDuration(value, 'sla', context)) ?? slaMs,
    ...defined({
      claimMs: fields.read('claim', (value) => readDuration(value, 'claim', context)),
      roles: fields.read('roles', (value) => readTexts(value, 'roles', context)),
    }),
  }
}

const readChain = (node: Syntax, slaMs: number, context: ReadContext): readonly HumanRung[] => {
  const items = node.kind === 'list' ? node.items : [node]
  if (items.length > RUNGS_MAX) context.report.add(node, 'literal.range', `a chain has at most ${RUNGS_MAX} rungs`)
  return items.map((item) => readRung(item, slaMs, context)).filter((rung) => rung !== undefined)
}

const readQuorum = (node: Syntax, context: ReadContext): HumanSpec['quorum'] => {
  const people = (value: Syntax, what: string): number | undefined => readCount(value, { what, min: 1, max: PEOPLE_MAX, context })
  if (node.kind !== 'map') {
    const n = people(node, 'quorum')
    return n === undefined ? undefined : { n, of: n, distinctRoles: false, excludeRequester: false }
  }
  const fields = readFields(node, { what: 'quorum', known: ['n', 'of', 'distinctRoles', 'excludeRequester'], context })
  if (fields === undefined) return undefined
  const n = fields.read('n', (value) => people(value, 'quorum.n')) ?? 1
  const of = fields.read('of', (value) => people(value, 'quorum.of')) ?? n
  if (of < n) context.report.add(fields.get('of') ?? node, 'literal.range', `${n} of ${of} people can never agree`, `of: ${n}`)
  const yes = (key: string): boolean => fields.read(key, (value) => readYesNo(value, `quorum.${key}`, context)) ?? false
  return { n, of: Math.max(n, of), distinctRoles: yes('distinctRoles'), excludeRequester: yes('excludeRequester') }
}

/** Names, or names with what the model is told. */
const readReasons = (node: Syntax, context: ReadContext): HumanSpec['reasons'] => {
  if (node.kind === 'list' || node.kind === 'scalar')
    return Object.fromEntries(readTexts(node, 'reasons', context).map((name) => [name, `${name.replaceAll('_', ' ')}.`]))
  const told = readEntries(node, 'reasons', context).map(
    ({ key, value }) => [key, readText(value, `reasons.${key}`, context) ?? ''] as const,
  )
  if (told.length === 0) context.report.add(node, 'flow.wrong_type', `reasons names at least one reason, not ${describe(node)}`)
  return Object.fromEntries(told)
}

/** `human: QUEUE`, or a map with the queue and the rest. */
export const readHuman = (node: Syntax, { context }: Site): BodyTree | undefined => {
  if (node.kind !== 'map') {
    const queue = readName(node, 'a queue', context)
    return queue === undefined
      ? undefined
      : { kind: 'human', human: { queue, priority: 'normal', slaMs: DAY_MS, onTimeout: 'fail' }, slaAt: node }
  }
  const fields = readFields(node, { what: 'human', known: KEYS, context })
  if (fields === undefined) return undefined
  if (!fields.has('queue')) context.report.add(node, 'flow.missing_key', 'human needs a queue', 'queue: support')
  const queue = fields.read('queue', (value) => readName(value, 'a queue', context))
  const slaMs = fields.read('sla', (value) => readDuration(value, 'sla', context)) ?? DAY_MS
  const risk = fields.read('risk', (value) => readWord(value, { what: 'risk', words: RISKS, context }))
  // What can be taken back is asked for once more before it does not happen.
  const silence = risk === 'reversible' ? 'escalate' : 'fail'
  if (queue === undefined) return undefined
  const human: HumanSpec = {
    queue,
    ...(fields.read('priority', (value) => readPriority(value, context)) ?? { priority: 'normal' }),
    slaMs,
    onTimeout: fields.read('onTimeout', (value) => readWord(value, { what: 'onTimeout', words: ON_TIMEOUT, context })) ?? silence,
    ...defined({
      title: fields.read('title', (value) => readText(value, 'title', context)),
      claimMs: fields.read('claim', (value) => readDuration(value, 'claim', context)),
      chain: fields.read('chain', (value) => readChain(value, slaMs, context)),
      roles: fields.read('roles', (value) => readTexts(value, 'roles', context)),
      skills: fields.read('skills', (value) => readTexts(value, 'skills', context)),
      quorum: fields.read('quorum', (value) => readQuorum(value, context)),
      risk,
      kind: fields.read('kind', (value) => readWord(value, { what: 'kind', words: KINDS, context })),
      reasons: fields.read('reasons', (value) => readReasons(value, context)),
    }),
  }
  return { kind: 'human', human, slaAt: fields.get('sla') ?? node }
}
