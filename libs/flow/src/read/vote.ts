// A vote: several voters answer the same question, one answer is taken.
import { defined } from '../defined.ts'
import { describe, type MapSyntax, type Syntax } from '../source/syntax.ts'
import type { BlockTree, BodyTree, PromptTree, StepTree } from '../tree.ts'
import { readFields, readMarked, readText, readValue, readWord, readYesNo, type Fields, type ReadContext } from './context.ts'
import { readRetry } from './kinds.ts'
import { readPrompt } from './prompt.ts'
import { readSchema } from './schema.ts'
import { defaultModels, readNames, type Site } from './site.ts'

/** Keys beside `vote`: the ballot, where the voters are a number or models. */
export const VOTE_KEYS = ['prompt', 'model']
const KEYS = ['voters', 'on', 'rule', 'judge', 'tie', 'early']
const RULES = ['majority', 'weighted', 'judge'] as const
const MAX_VOTERS = 50

type Voter = { readonly block: BlockTree; readonly weight: number }

/** `vote: { voters, on, rule, judge, tie, early }`. */
export const readVote = (node: Syntax, step: Fields, site: Site): BodyTree | undefined => {
  const { id, context, nested } = site
  const fields = readFields(node, { what: 'vote', known: KEYS, context })
  if (fields === undefined) return undefined
  const votersNode = fields.get('voters')
  if (votersNode === undefined) {
    context.report.add(node, 'flow.missing_key', 'a vote needs voters', 'voters: 3, or a list of models')
    return undefined
  }
  const voters = readVoters(votersNode, step, site)
  const given = fields.read('rule', (value) => readWord(value, { what: 'rule', words: RULES, context }))
  const judge = fields.read('judge', (value) => nested.block(value, { id: `${id}/judge`, place: 'branch' }))
  const rule = given ?? (judge === undefined ? 'majority' : 'judge')
  if (rule === 'judge' && !fields.has('judge'))
    context.report.add(fields.get('rule') ?? node, 'flow.missing_key', 'rule: judge needs a judge', 'judge: Which of {{ it }} is right?')
  if (rule !== 'judge' && fields.has('judge'))
    context.report.add(fields.keyAt('judge'), 'flow.unknown_key', `a judge is not asked where the rule is ${rule}`, 'rule: judge')
  const on = fields.read('on', (value) => readMarked(value, 'on', context))
  const tie = fields.read('tie', (value) => nested.outcome(value, { id: `${id}/tie`, place: 'gate' }))
  const early = fields.read('early', (value) => readYesNo(value, 'early', context)) ?? false
  return voters.length === 0 ? undefined : { kind: 'vote', voters, rule, early, ...defined({ on, judge, tie }) }
}

const readVoters = (node: Syntax, step: Fields, site: Site): readonly Voter[] => {
  const { context } = site
  if (node.kind === 'list') {
    const voters = node.items.map((item, index) => readVoter(item, index, { step, site })).filter((voter) => voter !== undefined)
    if (node.items.length === 0) context.report.add(node, 'flow.wrong_type', 'voters is an empty list')
    return voters
  }
  const count = node.kind === 'scalar' && typeof node.value === 'number' ? node.value : undefined
  if (count === undefined || !Number.isInteger(count) || count < 1 || count > MAX_VOTERS) {
    context.report.add(
      node,
      'flow.wrong_type',
      `voters is a number up to ${MAX_VOTERS}, or a list of models or steps, not ${describe(node)}`,
      'voters: 3',
    )
    return []
  }
  const models = step.read('model', (value) => readNames(value, 'a model or route', context)) ?? defaultModels(context)
  const ballot = readBallot(step, site)
  if (ballot === undefined) return []
  return Array.from({ length: count }, (_, index) => ballotVoter(ballot, { index, models, weight: 1, at: node, site }))
}

type Voting = { readonly step: Fields; readonly site: Site }

/** The name of a model, `{ model, weight }`, or the body of a step with a weight beside it. */
const readVoter = (item: Syntax, index: number, { step, site }: Voting): Voter | undefined => {
  const { id, context, nested } = site
  if (item.kind === 'map') {
    const weight = item.entries.find(({ key }) => key === 'weight')?.value
    const body: MapSyntax = { ...item, entries: item.entries.filter(({ key }) => key !== 'weight') }
    const known = weight === undefined ? 1 : readWeight(weight, context)
    const [only, second] = body.entries
    if (only?.key === 'model' && second === undefined) return modelVoter(only.value, index, { step, site, weight: known })
    const block = nested.block(body, { id: `${id}/voter[${index}]`, place: 'branch' })
    return block === undefined ? undefined : { block, weight: known }
  }
  return item.kind === 'list' ? listVoter(item, index, site) : modelVoter(item, index, { step, site, weight: 1 })
}

const listVoter = (item: Syntax, index: number, { id, nested }: Site): Voter | undefined => {
  const block = nested.block(item, { id: `${id}/voter[${index}]`, place: 'branch' })
  return block === undefined ? undefined : { block, weight: 1 }
}

const modelVoter = (node: Syntax, index: number, { step, site, weight }: Voting & { readonly weight: number }): Voter | undefined => {
  const models = readNames(node, 'a model or route', site.context)
  const ballot = readBallot(step, site)
  return ballot === undefined || models.length === 0 ? undefined : ballotVoter(ballot, { index, models, weight, at: node, site })
}

const readWeight = (node: Syntax, context: ReadContext): number => {
  const value = node.kind === 'scalar' ? node.value : undefined
  if (typeof value === 'number' && value > 0 && value <= 1_000) return value
  context.report.add(node, 'literal.range', `weight must be a number above 0 and up to 1000, not ${describe(node)}`)
  return 1
}

type Ballot = { readonly prompt: PromptTree } & Pick<StepTree, 'with' | 'returns' | 'retry'>

/** What the voters are asked: the prompt, arguments, schema and tries of the step itself. */
const readBallot = (step: Fields, { id, context }: Site): Ballot | undefined => {
  const node = step.get('prompt')
  if (node === undefined) {
    context.report.add(step.keyAt('vote'), 'flow.missing_key', 'the voters need a prompt', 'prompt: NAME@1, or the prompt itself')
    return undefined
  }
  if (readText(node, 'a prompt', context) === undefined) return undefined
  const prompt = readPrompt(node, id, context)
  const given = step.read('with', (value) => readValue(value, context))
  const returns = step.read('returns', (value) => readSchema(value, 'returns', context))
  const retry = step.read('retry', (value) => readRetry(value, context))
  return prompt === undefined ? undefined : { prompt, ...defined({ with: given, returns, retry }) }
}

type Asked = {
  readonly index: number
  readonly models: readonly string[]
  readonly weight: number
  readonly at: Syntax
  readonly site: Site
}

const ballotVoter = (ballot: Ballot, { index, models, weight, at, site }: Asked): Voter => ({
  weight,
  block: { at, steps: [{ id: `${site.id}/voter[${index}]`, name: null, at, place: 'branch', kind: 'model', models, ...ballot }] },
})
