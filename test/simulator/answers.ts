// What the world says to what it is asked: a pure function of the question, so that any order, any repeat and any crash leads to the same.
import { sha256 } from '@baton/contracts/ids'
import { canonicalJson, isJsonObject } from '@baton/contracts/json'
import type { FaultCode } from '@baton/contracts/fault'
import type { Json, MessageOf, StepCommand } from '@baton/contracts'
import { randomOf, type Random } from './random.ts'

/** A question: `call` counts what is asked at this place of the tree of runs. */
export type Question = {
  readonly seed: number
  readonly place: string
  readonly call: number
  readonly kind: StepCommand['kind']
  readonly nodeId: string
  readonly input: Json
  readonly turn?: Pick<NonNullable<StepCommand['turn']>, 'agent' | 'turn' | 'use' | 'tools' | 'results'>
  readonly tool?: string
  /** The guards of a step look at one side of it. */
  readonly guard?: 'input' | 'output'
  /** What a person said to what was asked before. */
  readonly answered?: { readonly verdict: string; readonly output: Json }
}
export type Turned = NonNullable<MessageOf<'step.completed'>['turn']>
export type Answer =
  | { readonly is: 'output'; readonly output: Json; readonly by: string; readonly turn?: Turned }
  | { readonly is: 'asks'; readonly use: 'output' | 'answer' }
  | { readonly is: 'fault'; readonly code: FaultCode }

/** Faults are known by their codes: how they are worded is nobody's business. */
export const withoutWords = (value: Json): Json => {
  if (Array.isArray(value)) return value.map(withoutWords)
  if (!isJsonObject(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, field]) => [key, key === 'message' ? '' : withoutWords(field)]))
}

const FAULTS: readonly FaultCode[] = [
  'tool.failed',
  'model.refused',
  'output.schema_invalid',
  'model.timed_out',
  'tool.timed_out',
  'payload.missing',
]

/** How the world answers. */
export const answerOf = (question: Question): Answer => {
  const { seed, kind, place, call, input, turn, guard, answered } = question
  const asked =
    turn === undefined
      ? null
      : { ...turn, results: turn.results.map(({ id, tool, output, fault }) => [id, tool, output ?? null, fault?.code ?? null]) }
  const random = randomOf(
    Number.parseInt(
      sha256(canonicalJson(withoutWords([seed, place, call, input, asked as Json, ...(answered === undefined ? [] : [answered])]))).slice(
        0,
        8,
      ),
      16,
    ),
  )
  if (kind === 'human') return decision(random, place)
  if (random.chance(0.15)) return { is: 'fault', code: random.pick(FAULTS) }
  if (mayAsk(question) && random.chance(answered === undefined ? 0.06 : 0.2))
    return { is: 'asks', use: guard === undefined ? random.pick(['output', 'answer']) : 'output' }
  if (guard !== undefined) return { is: 'output', by: 'check:any', output: verdict(random, input) }
  if (turn !== undefined) return { is: 'output', by: 'model:any', ...turned(random, place, turn) }
  if (kind === 'retrieve')
    return { is: 'output', by: 'retrieve:any', output: random.chance(0.2) ? [] : [{ text: place, score: random.next() }] }
  return { is: 'output', by: `${kind}:any`, output: random.chance(0.03) ? null : record(random, place) }
}

/** Work that may need a person in the middle of it. */
const mayAsk = ({ kind, turn }: Question): boolean => turn === undefined && (kind === 'tool' || kind === 'model' || kind === 'check')

/** What guards say: they take a text out of what has one. */
const verdict = (random: Random, content: Json): Json => {
  const action = random.pick(['pass', 'pass', 'pass', 'flag', 'block', 'redact', 'redact'])
  const value = isJsonObject(content) ? { ...content, ...('t' in content ? { t: '[gone]' } : {}) } : content
  return { ok: action !== 'block', action, reasons: [], ...(action === 'redact' ? { value } : {}) }
}

const record = (random: Random, place: string): { n: number; ok: boolean; t: string } => ({
  n: Math.round(random.next() * 100) / 100,
  ok: random.chance(0.5),
  t: place,
})

const decision = (random: Random, place: string): Answer => {
  if (random.chance(0.1)) return { is: 'fault', code: 'review.expired' }
  if (random.chance(0.15)) return { is: 'fault', code: 'review.rejected' }
  return { is: 'output', by: 'human:ada', output: record(random, place) }
}

type Turn = NonNullable<Question['turn']>

const turned = (random: Random, place: string, { agent, use, tools, turn }: Turn): { output: Json; turn: Turned } => {
  const confidence = Math.round(random.next() * 100) / 100
  if (use === 'check') return { output: { ...record(random, place), confidence }, turn: { calls: [], confidence } }
  if (agent === 'planner') return { output: { tasks: tasks(random) }, turn: { calls: [] } }
  const count = tools.length === 0 || random.chance(0.5) ? 0 : 1 + random.below(3)
  const calls = Array.from({ length: count }, (_, index) => ({
    id: `c${turn}.${index}`,
    tool: random.chance(0.05) ? 'shop/none' : random.pick(tools),
    arguments: random.chance(0.2) ? {} : { q: random.below(3) },
  }))
  // Some say how sure they are in their answer, some beside it, some not at all.
  const sure = random.below(3)
  return {
    output: calls.length > 0 ? null : { ...record(random, place), ...(sure === 0 ? { confidence } : {}) },
    turn: { calls, ...(sure === 1 ? { confidence } : {}) },
  }
}

const tasks = (random: Random): Json =>
  Array.from({ length: random.below(4) }, (_, index) => ({
    kind: random.pick(['reads', 'counts', 'counts', 'nothing']),
    text: `part ${index}`,
  }))
