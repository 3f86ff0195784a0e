// Steps done by agents: one by name or by the type of the task, or a team of them.
import { defined } from '../defined.ts'
import { didYouMean, nearest } from '../diagnostic.ts'
import type { Syntax } from '../source/syntax.ts'
import type { BodyTree } from '../tree.ts'
import { isFileName, readCount, readFields, readMarked, readText, type Fields, type ReadContext } from './context.ts'
import { readCaps } from './limits.ts'
import type { Site } from './site.ts'

/** Words of the limits of an agent, as it is defined and where it is asked. */
export const AGENT_LIMITS = ['turns', 'calls', 'tokens', 'cost', 'time'] as const
const TEAM_LIMITS = ['rounds', 'subtasks', 'depth', 'tokens', 'calls', 'cost', 'time'] as const

/** `agent: NAME`, or `agent: { for: =VALUE }`. */
export const readAgentStep = (node: Syntax, step: Fields, { context }: Site): BodyTree | undefined => {
  const limits = step.read('limits', (value) => readCaps(value, { what: 'limits', known: AGENT_LIMITS, context }))
  if (node.kind !== 'map') {
    const agent = readAgentName(node, context)
    return agent === undefined ? undefined : { kind: 'agent', agent, ...defined({ limits }) }
  }
  const fields = readFields(node, { what: 'agent', known: ['for'], context })
  if (fields === undefined) return undefined
  if (!fields.has('for'))
    context.report.add(node, 'flow.missing_key', 'agent is a name, or says what it is for', 'agent: { for: =classify.kind }')
  const by = fields.read('for', (value) => readMarked(value, 'for', context))
  return by === undefined ? undefined : { kind: 'agent', by, ...defined({ limits }) }
}

/** `team: { planner, workers, synthesis, concurrency, limits }`. */
export const readTeam = (node: Syntax, { context }: Site): BodyTree | undefined => {
  const fields = readFields(node, { what: 'team', known: ['planner', 'workers', 'synthesis', 'concurrency', 'limits'], context })
  if (fields === undefined) return undefined
  for (const key of ['planner', 'workers', 'synthesis'])
    if (!fields.has(key))
      context.report.add(
        node,
        'flow.missing_key',
        `a team needs ${key === 'workers' ? '' : 'a '}${key}`,
        `${key}: ${key === 'workers' ? '[AGENT]' : 'AGENT'}`,
      )
  const planner = fields.read('planner', (value) => readAgentName(value, context))
  const workers = fields.read('workers', (value) => readAgentNames(value, context)) ?? []
  const synthesis = fields.read('synthesis', (value) => readAgentName(value, context))
  const concurrency = fields.read('concurrency', (value) => readCount(value, { what: 'concurrency', min: 1, max: 100, context })) ?? 4
  const limits = fields.read('limits', (value) => readCaps(value, { what: 'limits', known: TEAM_LIMITS, context })) ?? {}
  if (planner === undefined || synthesis === undefined || workers.length === 0) return undefined
  return { kind: 'team', planner, workers, synthesis, concurrency, limits, ...defined({ limitsAt: fields.get('limits') }) }
}

/** An agent of the flow, or NAME@N for the file `agents/NAME@N.yaml`, which is read later. */
export const readAgentName = (node: Syntax, context: ReadContext): string | undefined => {
  const name = readText(node, 'an agent', context)
  if (name === undefined || context.agents.has(name)) return name
  if (isFileName(name)) {
    if (!context.agentFiles.has(name)) context.agentFiles.set(name, node)
    return name
  }
  const known = [...context.agents, ...context.list('agents')]
  context.report.add(
    node,
    'agent.unknown',
    `there is no agent "${name}"${didYouMean(name, known)}`,
    nearest(name, known) ?? `agents: { ${name}: { prompt: … } }, or NAME@1 for agents/NAME@1.yaml`,
  )
  return undefined
}

/** One agent or a list of them. */
export const readAgentNames = (node: Syntax, context: ReadContext): readonly string[] => {
  const nodes = node.kind === 'list' ? node.items : [node]
  if (nodes.length === 0) context.report.add(node, 'flow.wrong_type', 'there must be at least one agent')
  return nodes.map((item) => readAgentName(item, context)).filter((name) => name !== undefined)
}
