// What a step does, in a few words.
import type { ComposedBody, ComposedNode, PlanNode } from '../plan.ts'
import type { ExprTree, StepTree } from '../tree.ts'
import { countWords, durationWords, listWords } from './words.ts'

/** Of a step that runs. */
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
      return `${node.rule} of ${node.voters.length} voters`
    case 'loop':
      return `${capWords(node.max)}${node.until === undefined ? '' : ` until ${node.until}`}`
    case 'agent':
      return node.agent === undefined ? `agent for ${node.by ?? ''}` : `agent ${node.agent}`
    case 'team':
      return `team of ${listWords(node.workers)}, planned by ${node.planner}`
    default:
      return detailOfMessage(node)
  }
}

/** Of a step as it is written. */
export const detailOfTree = (step: StepTree): string => {
  switch (step.kind) {
    case 'model':
      return `model ${step.models.join(', else ')}`
    case 'tool':
      return `tool ${step.tools.join(', else ')}`
    case 'retrieve':
      return `retrieve from ${step.index}, top ${step.top}`
    case 'check':
      return `check ${step.checks.map(({ check }) => check).join(', ')}`
    case 'human':
      return `people: ${step.human.queue}, ${step.human.priority}, ${durationWords(step.human.slaMs)}`
    case 'task':
      return `task ${step.task}`
    case 'switch':
      return step.on === undefined ? 'first that holds' : `by ${step.on.cel}`
    case 'set':
      return 'set a value'
    default:
      return detailOfComposite(step)
  }
}

type Composite = Exclude<StepTree, { readonly kind: 'model' | 'tool' | 'retrieve' | 'check' | 'human' | 'task' | 'switch' | 'set' }>

const detailOfComposite = (step: Composite): string => {
  switch (step.kind) {
    case 'parallel':
      return parallelWords(step)
    case 'map':
      return `for each of ${step.over.cel}, ${step.concurrency} at once, at most ${step.max}`
    case 'vote':
      return `${step.rule} of ${step.voters.length} voters`
    case 'loop':
      return `${capWords(step.max)}${untilWords(step.until)}`
    case 'agent':
      return step.agent === undefined ? `agent for ${textOf(step.by)}` : `agent ${step.agent}`
    case 'team':
      return `team of ${listWords(step.workers)}, planned by ${step.planner}`
    default:
      return detailOfMessage(step)
  }
}

type MessageKind = { readonly kind: 'wait' | 'event' | 'emit' | 'flow' }
type Message = Extract<Composite, MessageKind> | Extract<ComposedNode, MessageKind>

const detailOfMessage = (step: Message): string => {
  switch (step.kind) {
    case 'wait':
      return `wait ${durationWords(step.forMs)}`
    case 'event':
      return `wait for ${step.event}`
    case 'emit':
      return `emit to ${step.topic}`
    case 'flow':
      return `flow ${step.flow}${atWords(step.version)}`
  }
}

const capWords = (max: number | undefined): string => (max === undefined ? 'rounds without a cap' : `at most ${countWords(max, 'round')}`)
const textOf = (expression: ExprTree | undefined): string => expression?.cel ?? ''
const untilWords = (until: ExprTree | undefined): string => (until === undefined ? '' : ` until ${until.cel}`)
const atWords = (version: string | undefined): string => (version === undefined ? '' : `@${version}`)

const parallelWords = ({
  branches,
  join,
}: Pick<Extract<ComposedBody, { readonly kind: 'parallel' }>, 'join'> & { readonly branches: readonly unknown[] }): string => {
  const waits = { all: 'all', any: 'the first that ends', first: 'the first that succeeds', quorum: '' }[join.join]
  return `${branches.length} branches at once, waits for ${join.join === 'quorum' ? join.quorum : waits}`
}
