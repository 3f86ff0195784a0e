import type { Outcome, Plan, PlanNode } from './plan.ts'
import { rulesOf } from './load.ts'

/** The plan as a Mermaid flowchart: one box a step, one arrow an outcome. */
export const toMermaid = (plan: Plan): string => {
  const lines = ['flowchart TD', '  start((start))', '  done((end))']
  const known = new Map(Object.keys(plan.nodes).map((id, index) => [id, `n${index}`]))
  const ids = new Map(Object.values(plan.nodes).map(({ id, name }) => [name ?? id, id]))
  const handle = (id: string): string => known.get(id) ?? known.get(ids.get(id) ?? '') ?? 'done'
  for (const node of Object.values(plan.nodes)) lines.push(`  ${handle(node.id)}${shape(node)}`)
  const arrow = (from: string, to: string, label?: string): void => {
    lines.push(label === undefined ? `  ${from} --> ${to}` : `  ${from} -- "${escape(label)}" --> ${to}`)
  }
  const drawBlock = (block: number, from: { readonly handle: string; readonly label?: string }, after: string): void => {
    const row = plan.blocks[block] ?? []
    for (const [index, id] of row.entries()) {
      if (index === 0) arrow(from.handle, handle(id), from.label)
      const next = row[index + 1]
      drawNode(id, next === undefined ? after : handle(next))
    }
  }
  const drawOutcome = (outcome: Outcome, from: { readonly handle: string; readonly label: string }, after: string): void => {
    if (outcome.then === 'next') arrow(from.handle, after, from.label)
    else if (outcome.then === 'end') arrow(from.handle, 'done', from.label)
    else if (outcome.then === 'fail') arrow(from.handle, 'failed', from.label)
    else if (outcome.then === 'step') arrow(from.handle, handle(outcome.step), from.label)
    else if (outcome.then === 'retry') arrow(from.handle, from.handle, `${from.label}: retry`)
    else drawBlock(outcome.block, from, outcome.after === 'fail' ? 'failed' : outcome.after === 'end' ? 'done' : after)
  }
  const drawNode = (id: string, after: string): void => {
    const node = plan.nodes[id]
    if (node === undefined) return
    const rules = rulesOf(node)
    if (rules.length === 0) arrow(handle(id), after)
    for (const rule of rules) drawOutcome(rule.outcome, { handle: handle(id), label: rule.label }, after)
    if (node.onError !== undefined) drawOutcome(node.onError, { handle: handle(id), label: 'on error' }, after)
  }
  drawBlock(plan.entry, { handle: 'start' }, 'done')
  if (plan.onError !== undefined) drawOutcome(plan.onError, { handle: 'start', label: 'on error' }, 'failed')
  if (lines.some((line) => line.endsWith('failed'))) lines.splice(3, 0, '  failed((failed))')
  return `${[...new Set(lines)].join('\n')}\n`
}

const shape = (node: PlanNode): string => {
  const text = `"${escape(node.name ?? node.id)}<br/><small>${escape(detail(node))}</small>"`
  if (node.kind === 'switch') return `{${text}}`
  return node.kind === 'human' ? `[/${text}/]` : `[${text}]`
}

const detail = (node: PlanNode): string => {
  switch (node.kind) {
    case 'model':
      return `model ${node.models.join(', else ')}`
    case 'tool':
      return `tool ${node.tools.join(', else ')}`
    case 'retrieve':
      return `retrieve ${node.index}`
    case 'check':
      return `check ${node.checks.map(({ check }) => check).join(', ')}`
    case 'human':
      return `${node.human.queue}, ${node.human.priority}`
    case 'task':
      return `task ${node.task}`
    case 'switch':
      return node.on ?? 'first that holds'
    case 'set':
      return 'set'
  }
}

const escape = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
