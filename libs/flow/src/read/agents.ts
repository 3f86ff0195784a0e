/* oxlint-disable unicorn/no-thenable -- `then` is a word of the flow format; nothing here is ever awaited */
// Agents as units: in the flow while it is small, or a file `agents/NAME@N.yaml` when they are shared.
import { defined } from '../defined.ts'
import { didYouMean } from '../diagnostic.ts'
import type { Syntax } from '../source/syntax.ts'
import type { AgentTree, OutcomeTree } from '../tree.ts'
import { readEntries, readFields, readText, readTexts, type ReadContext } from './context.ts'
import { readContextParts } from './context-parts.ts'
import { readCaps } from './limits.ts'
import { readShare } from './literals.ts'
import { readPrompt } from './prompt.ts'
import { readSchema } from './schema.ts'
import { checkWord, defaultModels, readNames, type Nested } from './site.ts'
import { AGENT_LIMITS, readAgentName, readAgentNames } from './team.ts'

const KEYS = 'about model prompt tools for limits minConfidence selfCheck fallback handoff context returns'.split(' ')

type Reading = { readonly name: string; readonly context: ReadContext; readonly nested: Nested }

/** The agents of a flow; those of files that it names are added by `readAgentFiles`. */
export const readAgents = (node: Syntax | undefined, context: ReadContext, nested: Nested): Readonly<Record<string, AgentTree>> =>
  byName(
    readEntries(node, 'agents', context).map(({ key, keyAt, value }) => {
      checkWord(key, { what: 'agent', at: keyAt, context })
      return readAgent(value, { name: key, context, nested })
    }),
  )

/** The agents of files that steps or other agents name. One may name others, so this goes on until all are read. */
export const readAgentFiles = (context: ReadContext, nested: Nested): Readonly<Record<string, AgentTree>> => {
  const agents: (AgentTree | undefined)[] = []
  // A map is gone through in the order of its entries, those included that are added on the way.
  for (const [name, at] of context.agentFiles) {
    const source = context.find(['yaml', 'yml', 'json'].map((extension) => `agents/${name}.${extension}`))
    if (source === undefined) {
      context.report.add(at, 'agent.unknown', `there is no file agents/${name}.yaml${didYouMean(name, context.list('agents'))}`)
      continue
    }
    const tree = context.parse(source, context.report)
    // A file stands for itself: what the flow declares beside it is not its own.
    const own = { ...context, prompts: new Map<string, Syntax>(), schemas: new Map<string, Syntax>(), agents: new Set<string>() }
    if (tree !== undefined) agents.push(readAgent(tree, { name, context: own, nested }))
  }
  return byName(agents)
}

const byName = (agents: readonly (AgentTree | undefined)[]): Readonly<Record<string, AgentTree>> =>
  Object.fromEntries(agents.filter((agent) => agent !== undefined).map((agent) => [agent.name, agent]))

const readAgent = (node: Syntax, { name, context, nested }: Reading): AgentTree | undefined => {
  const fields = readFields(node, { what: `agent "${name}"`, known: KEYS, context })
  if (fields === undefined) return undefined
  const id = `agents/${name}`
  const promptNode = fields.get('prompt')
  if (promptNode === undefined) {
    context.report.add(node, 'flow.missing_key', `agent "${name}" needs a prompt`, 'prompt: NAME@1, or the prompt itself')
    return undefined
  }
  const prompt = readPrompt(promptNode, id, context)
  const texts = (key: string, what: string): readonly string[] => fields.read(key, (value) => readTexts(value, what, context)) ?? []
  const rest = {
    about: fields.read('about', (value) => readText(value, 'about', context)),
    limitsAt: fields.get('limits'),
    minConfidence: fields.read('minConfidence', (value) => readShare(value, 'minConfidence', context)),
    selfCheck: fields.read('selfCheck', (value) => readPrompt(value, `${id}/selfCheck`, context)),
    fallback: fields.read('fallback', (value) => readFallback(value, { name, context, nested })),
    context: fields.read('context', (value) => readContextParts(value, context)),
    returns: fields.read('returns', (value) => readSchema(value, 'returns', context)),
  }
  const agent = {
    at: node,
    name,
    models: fields.read('model', (value) => readNames(value, 'a model or route', context)) ?? defaultModels(context),
    tools: fields.read('tools', (value) => readNames(value, 'a tool', context)) ?? [],
    for: texts('for', 'a type of task'),
    limits: fields.read('limits', (value) => readCaps(value, { what: 'limits', known: AGENT_LIMITS, context })) ?? {},
    handoff: fields.read('handoff', (value) => readAgentNames(value, context)) ?? [],
  }
  return prompt === undefined ? undefined : { ...agent, prompt, ...defined(rest) }
}

const AFTER: ReadonlySet<unknown> = new Set(['next', 'end', 'fail'])

/** An outcome, or the name of another agent, which is then asked the same. */
const readFallback = (node: Syntax, { name, context, nested }: Reading): OutcomeTree | undefined => {
  const id = `agents/${name}/fallback`
  if (node.kind !== 'scalar' || AFTER.has(node.value)) return nested.outcome(node, { id, place: 'gate' })
  const agent = readAgentName(node, context)
  if (agent === name) {
    context.report.add(node, 'agent.unknown', `agent "${name}" cannot be its own fallback`)
    return undefined
  }
  if (agent === undefined) return undefined
  // In an agent `input` is what it was asked, whoever asked it.
  const asked = { at: node, expr: { cel: 'input', at: node, skip: 0 } }
  return { at: node, then: 'run', steps: [{ id, name: null, at: node, place: 'gate', kind: 'agent', agent, with: asked }] }
}
