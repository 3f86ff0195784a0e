import { rulesOf } from './load.ts'
import { detailOfNode } from './outline/detail.ts'
import { nodeOutcomesOf, nodePartsOf, type NodePart, type Outcome, type Plan, type PlanNode, type TriggerSpec } from './plan.ts'

type Node = PlanNode

/** The plan as a Mermaid flowchart: one box a step, one arrow an outcome; what runs inside a step hangs on it by its name. */
export const toMermaid = (plan: Plan): string => {
  const steps = stepsOf(plan)
  const lines = ['flowchart TD', '  start((start))', '  done((end))']
  const known = new Map(steps.map(({ id }, index) => [id, `n${index}`]))
  const ids = new Map(steps.map(({ id, name }) => [name ?? id, id]))
  const handle = (id: string): string => known.get(id) ?? known.get(ids.get(id) ?? '') ?? 'done'
  for (const node of steps) lines.push(`  ${handle(node.id)}${shape(node)}`)
  const draw = createDrawing({ plan, steps: new Map(steps.map((node) => [node.id, node])), handle, lines })
  for (const [index, label] of triggersOf(plan).entries()) lines.push(`  t${index}>"${escape(label)}"]`, `  t${index} --> start`)
  draw.block(plan.entry, { handle: 'start' }, 'done')
  if (plan.onError !== undefined) draw.outcome(plan.onError, { handle: 'start', label: 'on error' }, 'failed')
  if (plan.onLimit !== undefined) draw.outcome(plan.onLimit, { handle: 'start', label: 'on limit' }, 'failed')
  if (lines.some((line) => line.endsWith('failed'))) lines.splice(3, 0, '  failed((failed))')
  return `${[...new Set(lines)].join('\n')}\n`
}

// What an agent falls back to belongs to the agent, wherever it is asked, and hangs on no step.
/** Steps in the order of the blocks, because the order of keys means nothing. */
const stepsOf = (plan: Plan): readonly Node[] => {
  const byId = new Map<string, Node>(Object.entries(plan.nodes))
  return plan.blocks.flatMap((block) => block.flatMap((id) => (id.startsWith('agents/') ? [] : (byId.get(id) ?? []))))
}

type Drawing = {
  readonly plan: Plan
  readonly steps: ReadonlyMap<string, Node>
  readonly handle: (id: string) => string
  readonly lines: string[]
}
type From = { readonly handle: string; readonly label?: string }
type Draw = {
  readonly block: (block: number, from: From, after: string) => void
  readonly outcome: (outcome: Outcome, from: From & { readonly label: string }, after: string) => void
}

const createDrawing = ({ plan, steps, handle, lines }: Drawing): Draw => {
  const arrow = (from: string, to: string, label?: string): void => {
    lines.push(label === undefined ? `  ${from} --> ${to}` : `  ${from} -- "${escape(label)}" --> ${to}`)
  }
  const draw: Draw = {
    block(block, from, after) {
      const row = plan.blocks[block] ?? []
      for (const [index, id] of row.entries()) {
        if (index === 0) arrow(from.handle, handle(id), from.label)
        const next = row[index + 1]
        drawNode(id, next === undefined ? after : handle(next))
      }
    },
    outcome(outcome, from, after) {
      if (outcome.then === 'next') arrow(from.handle, after, from.label)
      else if (outcome.then === 'end') arrow(from.handle, 'done', from.label)
      else if (outcome.then === 'fail') arrow(from.handle, 'failed', from.label)
      else if (outcome.then === 'step') arrow(from.handle, handle(outcome.step), from.label)
      else if (outcome.then === 'retry') arrow(from.handle, from.handle, `${from.label}: retry`)
      else draw.block(outcome.block, from, outcome.after === 'fail' ? 'failed' : outcome.after === 'end' ? 'done' : after)
    },
  }
  const drawNode = (id: string, after: string): void => {
    const node = steps.get(id)
    if (node === undefined) return
    const rules = rulesOf(node)
    if (rules.length === 0 && !hasBody(node)) arrow(handle(id), after)
    for (const rule of rules) draw.outcome(rule.outcome, { handle: handle(id), label: rule.label }, after)
    drawInside(node, { draw, arrow, handle: handle(id), after: rules.length === 0 ? after : handle(id), next: after })
  }
  return draw
}

/** Parts that do the work of a step; the others are there for when it fails. */
const isBody = ({ label }: NodePart): boolean => /^(branch|each|voter|do)\b/.test(label)
const hasBody = (node: Node): boolean => nodePartsOf(node).some(isBody)

type Inside = {
  readonly draw: Draw
  readonly arrow: (from: string, to: string, label?: string) => void
  readonly handle: string
  /** Where the work of the step leads: on, or back to the step for its gate. */
  readonly after: string
  readonly next: string
}

const drawInside = (node: Node, { draw, arrow, handle, after, next }: Inside): void => {
  for (const { label, block } of nodePartsOf(node)) {
    if (label === 'do') {
      draw.block(block, { handle, label: 'each round' }, handle)
      arrow(handle, next, 'done')
    } else if (label === 'undo') draw.block(block, { handle, label: 'undo' }, 'failed')
    else draw.block(block, { handle, label: label.replace(/^branch /, '') }, label.startsWith('failover') ? next : after)
  }
  for (const { label, outcome } of nodeOutcomesOf(node)) draw.outcome(outcome, { handle, label: OUTCOMES[label] ?? label }, next)
}
const OUTCOMES: Readonly<Record<string, string>> = { onError: 'on error', onTimeout: 'on timeout', onLimit: 'on limit', tie: 'a tie' }

const triggersOf = ({ triggers = [] }: Plan): readonly string[] =>
  triggers.map((trigger: TriggerSpec) => {
    if (trigger.kind === 'topic') return `topic ${trigger.topic}`
    if (trigger.kind === 'http') return `${trigger.method} ${trigger.path}`
    return trigger.cron === undefined ? `every ${trigger.everyMs} ms` : `${trigger.cron} ${trigger.zone}`
  })

const shape = (node: Node): string => {
  const text = `"${escape(node.name ?? node.id)}<br/><small>${escape(detailOfNode(node))}</small>"`
  return (SHAPES[node.kind] ?? ((box) => `[${box}]`))(text)
}

const SHAPES: Readonly<Record<string, (text: string) => string>> = {
  switch: (text) => `{${text}}`,
  human: (text) => `[/${text}/]`,
  parallel: (text) => `[[${text}]]`,
  map: (text) => `[[${text}]]`,
  vote: (text) => `[[${text}]]`,
  loop: (text) => `[[${text}]]`,
  wait: (text) => `([${text}])`,
  event: (text) => `([${text}])`,
  emit: (text) => `>${text}]`,
  flow: (text) => `[(${text})]`,
  agent: (text) => `{{${text}}}`,
  team: (text) => `{{${text}}}`,
}

const escape = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
