// What a step does, in a few words.
import type { ComposedNode, LimitsSpec, PlanNode } from '../plan.ts'
import { countWords, durationWords, limitWords, listWords } from './words.ts'

/** The words of a step. */
export const detailOfNode = (node: PlanNode): string => {
  switch (node.kind) {
    case 'model':
      return `model ${node.models.join(', else ')}`
    case 'tool':
      return `tool ${node.tools.join(', else ')}`
    case 'retrieve':
      return `retrieve from ${node.index}, top ${node.top}`
    case 'check':
      return `check ${node.checks.map(({ check }) => check).join(', ')}`
    case 'human':
      return `people: ${node.human.queue}, ${node.human.priority}, ${durationWords(node.human.slaMs)}`
    case 'task':
      return `task ${node.task}`
    case 'switch':
      return node.on === undefined ? 'first that holds' : `by ${node.on}`
    case 'set':
      return 'set a value'
    default:
      return detailOfComposed(node)
  }
}

const detailOfComposed = (node: ComposedNode): string => {
  switch (node.kind) {
    case 'parallel':
      return parallelWords(node)
    case 'map':
      return `for each of ${node.over}, ${node.concurrency} at once, at most ${node.max}`
    case 'vote':
      return `${node.rule} of ${node.voters.length} voters${onWords(node.on)}`
    case 'loop':
      return `at most ${countWords(node.max, 'round')}${node.until === undefined ? '' : ` until ${node.until}`}`
    case 'agent':
      return `agent ${node.agent ?? `for ${node.by ?? ''}`}${limitsWords(node.limits)}`
    case 'team':
      return `team of ${listWords(node.workers)}, planned by ${node.planner}, put together by ${node.synthesis}${limitsWords(node.limits)}`
    default:
      return detailOfMessage(node)
  }
}

type MessageKind = { readonly kind: 'wait' | 'event' | 'emit' | 'flow' }
type Message = Extract<ComposedNode, MessageKind>

const detailOfMessage = (step: Message): string => {
  switch (step.kind) {
    case 'wait':
      return `wait ${durationWords(step.forMs)}`
    case 'event':
      return `wait for ${step.event}${whereWords(step.match)}`
    case 'emit':
      return `emit to ${step.topic}`
    case 'flow':
      return `flow ${step.flow}${atWords(step.version)}${limitsWords(step.limits)}`
  }
}

const atWords = (version: string | undefined): string => (version === undefined ? '' : `@${version}`)

const whereWords = (match: string | undefined): string => (match === undefined ? '' : ` where ${match}`)
const onWords = (on: string | undefined): string => (on === undefined ? '' : `, on ${on}`)
const limitsWords = (limits: LimitsSpec | undefined): string => {
  const words = limits === undefined ? [] : limitWords(limits)
  return words.length === 0 ? '' : `, at most ${words.join(', ')}`
}

const parallelWords = ({ branches, join }: ComposedNode & { readonly kind: 'parallel' }): string => {
  const waits = { all: 'all', any: 'the first that ends', first: 'the first that succeeds', quorum: '' }[join.join]
  return `${branches.length} branches at once, waits for ${join.join === 'quorum' ? join.quorum : waits}`
}
