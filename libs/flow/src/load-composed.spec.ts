// The expressions of composed steps, evaluated as the engine does.
import { describe, expect, it } from '@jest/globals'
import type { Json } from '@baton/contracts/json'
import { loadProgram } from './load.ts'
import type { Plan, PlanNode } from './plan.ts'
import type { Program, Scope } from './program.ts'
import { readFieldsOf } from './reads.ts'
import { planOf } from './testing/compiled.ts'

const FLOW = `flow: shop/composed@1.0.0
params: { good: { type: number, default: 0.9 } }
input: { order: string, kind: refund | technical, items: { type: list, items: { name: string, price: number } } }
agents:
  clerk: { prompt: "Help with {{ text }}", for: [refund, technical], limits: { turns: 3 }, fallback: { do: [{ look: { set: { was: =it.text, for: =input.text, why: =fault.code } } }] } }
triggers:
  - { topic: orders, key: "=string(event.id)", when: event.size > 1, input: { order: "=event.id + '!'", kind: refund, items: [] } }
steps:
  - lines: { map: =input.items, as: line, each: { do: [{ one: { set: { text: '=string(index) + ": " + line.name', dear: =line.price > 10.0 } } }] } }
  - verdict: { vote: { voters: [m, n], on: =it.kind, tie: { set: { kind: '=it[0].kind' } } }, prompt: hi, returns: { kind: a | b } }
  - better: { loop: { max: 3, until: it.score >= params.good && index > 0 }, do: [{ attempt: { prompt: "Round {{ index }} of {{ it }}", returns: { score: number } } }] }
  - paid: { wait: { event: payment/done, match: event.order == input.order, key: =input.order, timeout: 1h }, returns: { order: string } }
  - told: { emit: { topic: orders, key: =paid.order }, with: { kind: =verdict.kind } }
  - asked: { agent: { for: =input.kind }, with: { text: =verdict.kind } }
  - charge: { tool: bank/pay, returns: { id: string }, undo: { tool: bank/back, with: { id: =charge.id, order: =paid.order, score: =better.score } } }
output: { lines: =lines }
`

const plan = planOf(FLOW)
const program: Program = loadProgram(plan)

type OfKind<K extends PlanNode['kind']> = Extract<PlanNode, { readonly kind: K }>

const isKind = <K extends PlanNode['kind']>(found: PlanNode | undefined, kind: K): found is OfKind<K> => found?.kind === kind
const node = <K extends PlanNode['kind']>(id: string, kind: K): OfKind<K> => {
  const found = plan.nodes[id]
  if (!isKind(found, kind)) throw new Error(`${id} is not a ${kind} of ${Object.keys(plan.nodes).join(', ')}`)
  return found
}
const only = (block: number): PlanNode => {
  const found = plan.nodes[plan.blocks[block]?.[0] ?? '']
  if (found === undefined) throw new Error(`block ${block} is empty`)
  return found
}
const inBlock = (fallback: { readonly then: string; readonly block?: number } | undefined): PlanNode => only(fallback?.block ?? -1)
const setIn = (found: PlanNode): OfKind<'set'>['value'] => {
  if (!isKind(found, 'set')) throw new Error(`${found.id} is not a set`)
  return found.value
}

const scope = (steps: Readonly<Record<string, Json>> = {}, more: Partial<Scope> = {}): Scope => ({
  input: { order: 'o1', kind: 'refund', items: [{ name: 'pen', price: 2 }] },
  params: { good: 0.9 },
  run: {},
  steps,
  ...more,
})

describe('the expressions of composed steps (A3 to A13)', () => {
  it('a map sees its list, and each body the item by its name and its number', () => {
    const { over, each } = node('lines', 'map')
    expect(program.value({ cel: over }, scope())).toEqual([{ name: 'pen', price: 2 }])
    const body = setIn(only(each))
    expect(program.value(body, scope({ line: { name: 'pen', price: 2.5 }, index: 1 }))).toEqual({ text: '1: pen', dear: false })
    expect(() => program.value(body, scope({ index: 1 }))).toThrow(expect.objectContaining({ code: 'expression.failed' }))
  })

  it('a vote counts what it says of each answer, and a tie sees all of them', () => {
    const { on, tie } = node('verdict', 'vote')
    expect(program.value({ cel: on ?? '' }, scope({}, { it: { kind: 'b' } }))).toBe('b')
    expect(program.value(setIn(inBlock(tie)), scope({}, { it: [{ kind: 'a' }, { kind: 'b' }] }))).toEqual({ kind: 'a' })
  })

  it('a loop sees its round: the output as it, the number as index', () => {
    const { until = '', body } = node('better', 'loop')
    expect(program.test(until, scope({ index: 1 }, { it: { score: 0.95 } }))).toBe(true)
    expect(program.test(until, scope({ index: 0 }, { it: { score: 0.95 } }))).toBe(false)
    expect(program.value(only(body).with, scope({ index: 0 }, { it: null }))).toEqual({ index: 0, it: null })
  })

  it('a wait sees what arrived as event', () => {
    const { match = '', key = { lit: null } } = node('paid', 'event')
    expect(program.test(match, scope({ event: { order: 'o1' } }))).toBe(true)
    expect(program.test(match, scope({ event: { order: 'o2' } }))).toBe(false)
    expect(() => program.test(match, scope({ event: {} }))).toThrow(expect.objectContaining({ code: 'expression.failed' }))
    expect(program.value(key, scope())).toBe('o1')
  })

  it('an emit has a key, an agent may be chosen by a value', () => {
    expect(program.value(node('told', 'emit').key ?? { lit: null }, scope({ paid: { order: 'o1' } }))).toBe('o1')
    expect(program.value({ cel: node('asked', 'agent').by ?? '' }, scope())).toBe('refund')
  })

  it('the fallback of an agent sees what it was asked, what it came to and why it stopped', () => {
    const look = setIn(inBlock(plan.agents?.['clerk']?.fallback))
    const asked = scope({}, { input: { text: 'help' }, it: { text: 'unsure' }, fault: { code: 'limit.turns' } })
    expect(program.value(look, asked)).toEqual({ was: 'unsure', for: 'help', why: 'limit.turns' })
  })

  it('what takes an effect back sees the output and the steps before, which are named', () => {
    const { undo } = node('charge', 'tool')
    const names = ['charge', 'paid', 'better']
    expect(undo?.sees).toEqual(expect.arrayContaining(names))
    const steps = { charge: { id: 'c1' }, paid: { order: 'o1' }, better: { score: 0.9 } }
    expect(program.value(only(undo?.block ?? -1).with, scope(steps))).toEqual({ id: 'c1', order: 'o1', score: 0.9 })
  })
})

/** The plan with one expression that does not compile. */
const broken = (from: string): Plan => {
  const text = JSON.stringify(plan)
  expect(text).toContain(JSON.stringify(from))
  return JSON.parse(text.replaceAll(JSON.stringify(from), JSON.stringify(`${from} +`)))
}

describe('loading a plan', () => {
  it.each([
    ['the list of a map', 'input.items'],
    ['the body of a map', 'line.price > 10.0'],
    ['what is counted', 'it.kind'],
    ['a tie', 'it[0].kind'],
    ['the end of a loop', 'it.score >= params.good && index > 0'],
    ['a match', 'event.order == input.order'],
    ['a key', 'paid.order'],
    ['the choice of an agent', 'input.kind'],
    ['a fallback', 'fault.code'],
    ['an undo', 'charge.id'],
    ['the condition of a trigger', 'event.size > 1'],
    ['the key of a trigger', 'string(event.id)'],
    ['the input of a trigger', "event.id + '!'"],
  ])('compiles %s', (_, expression) => {
    expect(() => loadProgram(broken(expression))).toThrow(expect.objectContaining({ code: 'flow.invalid' }))
  })

  it('fields that are read in composed steps are known, wherever they are', () => {
    expect(readFieldsOf(plan)).toEqual({
      better: [['score']],
      charge: [['id']],
      lines: [[]],
      paid: [['order']],
      verdict: [['kind']],
    })
  })
})
