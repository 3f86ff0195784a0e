import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { isJsonObject, type Json } from '@baton/contracts/json'
import { parse, stringify } from 'yaml'
import { compileFlow } from './compile.ts'
import { planHash } from './hash.ts'
import { planOf } from './testing/compiled.ts'
import { EVERYTHING } from './testing/everything.ts'
import { SAMPLE_FILES } from './testing/samples.ts'

/** Where the order of keys says something: fields of a schema become its list of required fields. */
const ORDERED = new Set(['input', 'schemas', 'returns', 'of', 'items', 'check', 'guard'])

/** The same data with the keys of its maps in another order, by numbers from outside. */
const shuffled = (value: Json, next: () => number): Json => {
  if (Array.isArray(value)) return value.map((item) => shuffled(item, next))
  if (!isJsonObject(value)) return value
  const entries = Object.entries(value).map(([key, item]) => [key, ORDERED.has(key) ? item : shuffled(item, next), next()] as const)
  return Object.fromEntries(entries.toSorted((a, b) => a[2] - b[2]).map(([key, item]) => [key, item]))
}

const written = (data: Json, form: { readonly json: boolean; readonly indent: number; readonly comment: string }): string => {
  if (form.json) return JSON.stringify(data, null, form.indent)
  return `# ${form.comment}\n${stringify(data, { indent: form.indent, lineWidth: 0, aliasDuplicateObjects: false })}`
}

describe('the hash of a flow with every word', () => {
  const data: Json = parse(EVERYTHING)
  const { hash } = planOf(EVERYTHING)

  it('P1: is that of its meaning: order of keys, comments, indentation, YAML or JSON do not change it', () => {
    const forms = fc.record({ json: fc.boolean(), indent: fc.integer({ min: 2, max: 6 }), comment: fc.stringMatching(/^[a-z ]{0,20}$/) })
    fc.assert(
      fc.property(forms, fc.infiniteStream(fc.nat()), (form, numbers) => {
        const plan = planOf(
          written(
            shuffled(data, () => Number(numbers.next().value)),
            form,
          ),
        )
        expect([plan.hash, planHash(plan)]).toEqual([hash, hash])
      }),
      { numRuns: 25 },
    )
  })

  it.each([
    ['a literal with another unit', 'tokens: 2k, ', 'tokens: 2000, '],
    ['a share as a number', 'minConfidence: 60%', 'minConfidence: 0.6'],
    ['minutes as seconds', 'wait: 10m', 'wait: 600s'],
    ['what is about it', 'about: Every word', 'about: Each word'],
  ])('P1: %s changes nothing', (_, from, to) => {
    expect(planOf(EVERYTHING.replace(from, to)).hash).toBe(hash)
  })

  it.each([
    ['a cap', 'loop: { max: 5', 'loop: { max: 6'],
    ['a condition', 'it.score >= 0.9', 'it.score > 0.9'],
    ['a trigger', '{ every: 1h }', '{ every: 2h }'],
    ['a tool of an agent', 'tools: [billing/refund_status]', 'tools: [billing/refund]'],
    ['a prompt inside a branch', 'Extract the text', 'Take the text'],
    ['an expiry', 'expires: 10m', 'expires: 11m'],
    ['a join', 'quorum: 2', 'quorum: 3'],
  ])('P1: %s changes it', (_, from, to) => {
    expect(EVERYTHING).toContain(from)
    expect(planOf(EVERYTHING.replace(from, to)).hash).not.toBe(hash)
  })
})

const TOP = 'input: { kind: a | b, text: string, items: "string[]" }\n'
const flow = (...steps: readonly string[]): string => `${TOP}steps:\n${steps.map((step) => `  - ${step}\n`).join('')}`

describe('what means the same has the same hash', () => {
  it.each([
    [
      'branches in another order',
      flow('all: { parallel: { one: "Say {{ input.text }}", two: [{ x: hi }, { y: "{{ x }}" }] } }'),
      flow('all: { parallel: { two: [{ x: hi }, { y: "{{ x }}" }], one: "Say {{ input.text }}" } }'),
    ],
    [
      'cases in another order',
      flow('way: { switch: =input.kind, cases: { a: { tool: x }, b: { do: [{ p: hi }, { q: ho }] } } }', 'z: hi'),
      flow('way: { switch: =input.kind, cases: { b: { do: [{ p: hi }, { q: ho }] }, a: { tool: x } } }', 'z: hi'),
    ],
    [
      'cases in another order, before an else',
      flow('way: { switch: =input.text, cases: { y: next, x: end }, else: fail }', 'z: hi'),
      flow('way: { switch: =input.text, cases: { x: end, y: next }, else: fail }', 'z: hi'),
    ],
    [
      'what is the default anyway',
      flow('all: { map: =input.items, each: "Say {{ item }}" }'),
      flow('all: { map: =input.items, as: item, each: "Say {{ item }}", onFailure: fail, chunk: 1 }'),
    ],
    [
      'a short form',
      flow('one: { tool: x, budget: 0.01 USD, failover: { tool: y } }'),
      flow('one: { tool: x, budget: { cost: 0.01 USD }, failover: [{ tool: y }] }'),
    ],
    [
      'agents, and what they are for, in another order',
      `agents:\n  one: { prompt: hi, for: [a, b], limits: { turns: 1 }, handoff: [two] }\n  two: { prompt: ho, limits: { turns: 2 }, fallback: end }\n${flow('x: { agent: one }')}`,
      `agents:\n  two: { fallback: end, prompt: ho, limits: { turns: 2 } }\n  one: { prompt: hi, for: [b, a], limits: { turns: 1 }, handoff: [two] }\n${flow('x: { agent: one }')}`,
    ],
  ])('P1: %s', (_, one, other) => {
    const [first, second] = [planOf(one), planOf(other)]
    expect(second).toEqual(first)
    expect(planHash(JSON.parse(JSON.stringify(second)))).toBe(first.hash)
  })

  it.each([
    ['another branch', 'parallel: { one: hi, two: ho }', 'parallel: { one: ho, two: hi }'],
    ['steps of a loop in another order', 'loop: 3, do: [{ one: hi }, { two: ho }]', 'loop: 3, do: [{ two: ho }, { one: hi }]'],
    ['a voter with more weight', 'vote: { voters: [m, n] }, prompt: hi', 'vote: { voters: [m, { model: n, weight: 2 }] }, prompt: hi'],
    [
      'conditions in another order',
      'switch: [{ when: input.text == "x", then: end }, { else: next }]',
      'switch: [{ when: input.text == "y", then: end }, { else: next }]',
    ],
    ['models in another order', 'model: [m, n], prompt: hi', 'model: [n, m], prompt: hi'],
    ['an event of another name', 'wait: { event: a/b, timeout: 1h }', 'wait: { event: a/c, timeout: 1h }'],
    ['what takes it back', 'tool: x, undo: { tool: y }', 'tool: x, undo: { tool: z }'],
  ])('P1: %s is another plan', (_, one, other) => {
    expect(planOf(flow(`a: { ${one} }`)).hash).not.toBe(planOf(flow(`a: { ${other} }`)).hash)
  })

  it('P1: fields of a schema are named in any order', () => {
    const flow = (fields: string, returns: string): string =>
      `input: { ${fields} }\nsteps:\n  - a: { tool: x/y, with: { t: =input.text }, returns: { ${returns} } }\n`
    const hash = planOf(flow('text: string, n: integer', 'b: { d: string, c: string }, a: string')).hash
    expect(planOf(flow('n: integer, text: string', 'a: string, b: { c: string, d: string }')).hash).toBe(hash)
    expect(planOf(flow('n: integer?, text: string', 'a: string, b: { c: string, d: string }')).hash).not.toBe(hash)
  })

  it('P1: what a flow is called by never changes with a version of Baton', () => {
    const result = compileFlow({ files: SAMPLE_FILES, entry: 'support/flow.yaml' })
    expect(result.ok && result.plan.hash).toMatch(/^9c1377576f9976f7/)
  })
})
