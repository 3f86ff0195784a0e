// Everything in a flow that may or may not happen, so that a test can say what it never tried.
//   P1. A point is reached or not by what the journal and the askings of runs say; how the flow got there does not matter.
import type { JournalMessage } from '@baton/engine/memory'
import type { AgentSpec, Outcome, Plan, PlanNode, Rule } from '@baton/flow/plan'
import type { TestRun } from '../flow-test.ts'

/** A way that a flow can take at one place. `at` is where it stands in the file: names, words and positions in lists. */
export type Point = {
  readonly id: string
  readonly what: string
  readonly at: readonly (string | number)[]
  readonly isReached: (seen: Seen) => boolean
}

/** What some runs did. */
export type Seen = {
  /** Nodes that something happened at. */
  readonly entered: ReadonlySet<string>
  readonly decided: readonly { readonly nodeId: string; readonly kind: string; readonly chosen: string; readonly fault: string }[]
  readonly failed: readonly { readonly nodeId: string; readonly fault: string }[]
  readonly completed: ReadonlySet<string>
  readonly undone: ReadonlySet<string>
  readonly paths: ReadonlySet<string>
  /** Models, tools and others that were asked, by place: `answer small`. */
  readonly asked: ReadonlySet<string>
  readonly degraded: boolean
}

/** What runs did, all together. */
export const seenIn = (runs: readonly TestRun[]): Seen => {
  const events = runs.flatMap(({ journal }) => journal)
  const decided = events.flatMap(({ name, data }) =>
    name === 'journal.step.decided' ? [{ nodeId: data.nodeId, kind: data.kind, chosen: data.chosen, fault: faultIn(data.detail) }] : [],
  )
  const failed = events.flatMap(({ name, data }) =>
    name === 'journal.step.failed' ? [{ nodeId: data.nodeId, fault: data.fault.code }] : [],
  )
  const places = events.flatMap((event) => placeIn(event) ?? [])
  return {
    entered: new Set(places.map(({ nodeId }) => nodeId)),
    paths: new Set(places.map(({ path }) => path)),
    decided,
    failed,
    completed: new Set(events.flatMap(({ name, data }) => (name === 'journal.step.completed' ? [data.nodeId] : []))),
    undone: new Set(events.flatMap(({ name, data }) => (name === 'journal.step.opened' && data.kind === 'undo' ? [data.nodeId] : []))),
    asked: new Set(runs.flatMap(({ asked }) => asked.map(({ path, name }) => `${withoutItems(path)} ${name}`))),
    degraded: runs.some(({ degraded }) => degraded.length > 0),
  }
}

/** Where an event happened; being passed over is nothing that happens at a node. */
const placeIn = ({ name, data }: JournalMessage): { readonly nodeId: string; readonly path: string } | undefined => {
  switch (name) {
    case 'journal.step.decided':
      return data.chosen === 'skipped' ? undefined : data
    case 'journal.step.opened':
    case 'journal.step.dispatched':
    case 'journal.step.completed':
    case 'journal.step.failed':
    case 'journal.step.waiting':
      return data
    default:
      return undefined
  }
}

const faultIn = (detail: unknown): string => {
  const fault: unknown = typeof detail === 'object' && detail !== null && 'fault' in detail ? detail.fault : undefined
  return typeof fault === 'string' ? fault : ''
}
const withoutItems = (path: string): string => path.replaceAll(/\[\d+\]/g, '')

/** Every point of a flow, in the order of the plan. */
export const pointsOf = (plan: Plan): readonly Point[] => {
  const find = finderOf(plan)
  return [
    ...Object.values(plan.nodes).flatMap((node) => pointsOfNode(node, find)),
    ...Object.entries(plan.agents ?? {}).flatMap(([name, agent]) => pointsOfAgent(name, agent, find)),
    ...(['onError', 'onLimit'] as const).flatMap((word) => pointsOfFlow(word, plan[word], find)),
  ]
}

/** Whether a block was entered. */
type Find = (block: number) => (seen: Seen) => boolean
const finderOf =
  ({ blocks }: Plan): Find =>
  (block) =>
  ({ entered }) =>
    (blocks[block] ?? []).some((id) => entered.has(id))

const pointsOfNode = (node: PlanNode, find: Find): readonly Point[] => {
  const { id } = node
  const at = segmentsOf(id)
  return [
    ...whenPoints(node, at),
    ...rulePoints(node.kind === 'switch' ? node.rules : [], { node, kind: 'switch', at }),
    ...rulePoints(node.gate ?? [], { node, kind: 'gate', at }),
    ...handlerPoints(node, at, find),
    ...(node.failover ?? []).map((block, index) => ({
      id: `${id}/failover[${index}]`,
      what: `failover ${index + 1} of ${id}`,
      at: [...at, 'failover', index],
      isReached: find(block),
    })),
    ...(node.undo === undefined
      ? []
      : [{ id: `${id}/undo`, what: `undo of ${id}`, at: [...at, 'undo'], isReached: ({ undone }: Seen) => undone.has(id) }]),
    ...bodyPoints(node, at, find),
  ]
}

const whenPoints = ({ id, when }: PlanNode, at: Point['at']): readonly Point[] => {
  if (when === undefined) return []
  const skipped = ({ decided }: Seen): boolean => decided.some((one) => one.nodeId === id && one.chosen === 'skipped')
  return [
    { id: `${id}/when`, what: `${id} runs`, at: [...at, 'when'], isReached: ({ entered }) => entered.has(id) },
    { id: `${id}/when/skipped`, what: `${id} is skipped`, at: [...at, 'when'], isReached: skipped },
  ]
}

const rulePoints = (
  rules: readonly Rule[],
  { node: { id }, kind, at }: { readonly node: PlanNode; readonly kind: 'switch' | 'gate'; readonly at: Point['at'] },
): readonly Point[] =>
  rules.map(({ label }, index) => ({
    id: `${id}/${kind}[${index}]`,
    what: `${kind === 'gate' ? 'gate' : 'case'} of ${id}: ${label}`,
    at: kind === 'gate' ? [...at, 'gate', index] : [...at, ...(isCase(label, rules) ? ['cases', label] : ['switch', index])],
    isReached: ({ decided }) => decided.some((one) => one.nodeId === id && one.kind === kind && one.chosen === label),
  }))

/** A case of a switch on a value stands under its label, a line of a list at its position. */
const isCase = (label: string, rules: readonly Rule[]): boolean =>
  rules.some(({ when = '' }) => when.endsWith(`== ${JSON.stringify(label)}`))

const TIMEOUTS: ReadonlySet<string> = new Set([
  'model.timed_out',
  'tool.timed_out',
  'step.timed_out',
  'step.expired',
  'step.lease_lost',
  'review.expired',
])
const HANDLERS = ['onError', 'onTimeout', 'onLimit'] as const

const handlerPoints = (node: PlanNode, at: Point['at'], find: Find): readonly Point[] =>
  HANDLERS.flatMap((word) => {
    const outcome = node[word]
    if (outcome === undefined) return []
    const takes = (fault: string): boolean => handlerOf(node, fault) === word
    return [
      {
        id: `${node.id}/${word}`,
        what: `${word} of ${node.id}`,
        at: [...at, word],
        isReached: outcomeReached(node.id, outcome, { takes, find }),
      },
    ]
  })

const handlerOf = ({ onTimeout, onLimit }: PlanNode, fault: string): (typeof HANDLERS)[number] => {
  if (TIMEOUTS.has(fault)) return onTimeout === undefined ? 'onError' : 'onTimeout'
  return fault.startsWith('limit.') && onLimit !== undefined ? 'onLimit' : 'onError'
}

const outcomeReached = (
  nodeId: string,
  outcome: Outcome,
  { takes, find }: { readonly takes: (fault: string) => boolean; readonly find: Find },
): Point['isReached'] => {
  if (outcome.then === 'run') return find(outcome.block)
  if (outcome.then === 'fail') return ({ failed }) => failed.some((one) => one.nodeId === nodeId && takes(one.fault))
  const chosen = outcome.then === 'step' ? `step ${outcome.step}` : outcome.then
  return ({ decided }) =>
    decided.some((one) => one.nodeId === nodeId && one.kind === 'handler' && one.chosen === chosen && takes(one.fault))
}

const bodyPoints = (node: PlanNode, at: Point['at'], find: Find): readonly Point[] => {
  const { id } = node
  switch (node.kind) {
    case 'model':
    case 'tool': {
      const names = node.kind === 'model' ? node.models : node.tools
      return names.slice(1).map((name) => ({
        id: `${id}/${name}`,
        what: `failover of ${id} to ${name}`,
        at: [...at, node.kind],
        isReached: ({ asked }) => [...asked].some((one) => one.endsWith(`${lastOf(id)} ${name}`)),
      }))
    }
    case 'parallel':
      return node.branches.map(({ name, block }) => ({
        id: `${id}/${name}`,
        what: `branch ${name} of ${id}`,
        at: [...at, name],
        isReached: find(block),
      }))
    case 'vote':
      return votePoints(node, at, find)
    case 'loop':
      return loopPoints(node, at)
    default:
      return []
  }
}

const lastOf = (id: string): string => withoutItems(id).split('/').at(-1) ?? id

const votePoints = (node: PlanNode & { kind: 'vote' }, at: Point['at'], find: Find): readonly Point[] => {
  const { id, judge, tie } = node
  const tied = ({ decided }: Seen): boolean => decided.some((one) => one.nodeId === id && one.kind === 'vote' && one.chosen === 'tie')
  return [
    ...(judge === undefined ? [] : [{ id: `${id}/judge`, what: `judge of ${id}`, at: [...at, 'judge'], isReached: find(judge) }]),
    ...(tie === undefined ? [] : [{ id: `${id}/tie`, what: `tie of ${id}`, at: [...at, 'tie'], isReached: tied }]),
  ]
}

const loopPoints = ({ id, until, max }: PlanNode & { kind: 'loop' }, at: Point['at']): readonly Point[] => {
  const round = new RegExp(`(^|/)${lastOf(id).replaceAll(/[^\w-]/g, '')}\\[${max - 1}\\]/`)
  const last = ({ paths }: Seen): boolean => [...paths].some((path) => round.test(path))
  if (until === undefined) return []
  return [
    { id: `${id}/until`, what: `${id} ends: ${until}`, at: [...at, 'until'], isReached: ({ completed }) => completed.has(id) },
    { id: `${id}/max`, what: `${id} goes on for ${max} rounds`, at: [...at, 'max'], isReached: last },
  ]
}

const pointsOfAgent = (name: string, { fallback }: AgentSpec, find: Find): readonly Point[] => {
  if (fallback === undefined) return []
  const said = ({ decided }: Seen): boolean => decided.some(({ chosen }) => chosen === `fallback of ${name}`)
  const isReached = fallback.then === 'run' ? (seen: Seen) => find(fallback.block)(seen) || said(seen) : said
  return [{ id: `agents/${name}/fallback`, what: `fallback of the agent ${name}`, at: ['agents', name, 'fallback'], isReached }]
}

const pointsOfFlow = (word: 'onError' | 'onLimit', outcome: Outcome | undefined, find: Find): readonly Point[] => {
  if (outcome === undefined) return []
  const decided = (seen: Seen): boolean => seen.decided.some(({ nodeId }) => nodeId === word)
  const isReached = outcome.then === 'run' ? (seen: Seen) => find(outcome.block)(seen) || decided(seen) : (seen: Seen) => seen.degraded
  return [{ id: word, what: `${word} of the flow`, at: [word], isReached }]
}

/** The place of a node in its file: `answer/gate[1]/ticket` is answer, gate, 1, ticket. */
const segmentsOf = (id: string): readonly (string | number)[] =>
  id.split('/').flatMap((part) => {
    const match = /^(.*)\[(\d+)\]$/.exec(part)
    if (match === null) return [part]
    const word = match[1] ?? part
    return [WORDS[word] ?? word, Number(match[2])]
  })
/** Words of node ids that are others in the file. */
const WORDS: Readonly<Record<string, string>> = { when: 'switch', voter: 'voters' }
