/* oxlint-disable unicorn/no-thenable -- `then` is a word of the plan */
import { describe, expect, it } from '@jest/globals'
import { compileData } from './builder/compile-data.ts'
import { chain } from './builder/data.ts'
import { compileFlow } from './compile.ts'
import { formatDiagnostic } from './diagnostic.ts'
import { planHash } from './hash.ts'
import { loadProgram } from './load.ts'
import type { Plan, PlanNode } from './plan.ts'
import { CHAIN, SAMPLE_FILES, SUPPORT } from './testing/samples.ts'

const compiled = (text: string, files: Readonly<Record<string, string>> = {}): Plan => {
  const result = compileFlow({
    files: new Map([...SAMPLE_FILES, ...Object.entries(files), ['support/flow.yaml', text]]),
    entry: 'support/flow.yaml',
  })
  if (!result.ok) throw new Error(result.diagnostics.map(formatDiagnostic).join('\n'))
  return result.plan
}

const node = (plan: Plan, id: string): PlanNode => {
  const found = plan.nodes[id]
  if (found === undefined) throw new Error(`no node ${id} in ${Object.keys(plan.nodes).join(', ')}`)
  return found
}

describe('the two-line chain', () => {
  const plan = compiled(CHAIN)

  it('compiles without name, version, schema or model', () => {
    expect(plan).toMatchObject({ flow: 'local/flow', version: '0.0.0', input: true, entry: 0, blocks: [['facts', 'summary']] })
    expect(plan.output).toBeUndefined()
    expect(node(plan, 'facts')).toMatchObject({ kind: 'model', models: ['default'], effect: 'read' })
  })

  it('gives each prompt what its slots name', () => {
    expect(node(plan, 'facts').with).toEqual({ object: { input: { object: { text: { cel: 'input.text' } } } } })
    expect(node(plan, 'summary').with).toEqual({ object: { facts: { cel: 'facts' } } })
    expect(plan.prompts['inline:facts']).toEqual({ parts: [{ text: 'Extract the facts from ' }, { slot: ['input', 'text'] }] })
  })

  it('is the same plan when a program or JSON makes it', () => {
    const made = compileData(chain({ facts: 'Extract the facts from {{ input.text }}', summary: 'Summarise {{ facts }}' }))
    expect(made.ok && made.plan.hash).toBe(plan.hash)
  })

  it('takes its model from the defaults of the project', () => {
    const result = compileFlow({ files: SAMPLE_FILES, entry: 'chain.yaml', defaults: { model: 'small', timeMs: 5_000 } })
    expect(result.ok && result.plan.limits.timeMs).toBe(5_000)
    expect(result.ok && result.plan.nodes['facts']).toMatchObject({ models: ['small'] })
  })
})

describe('the support product', () => {
  const plan = compiled(SUPPORT)

  it('compiles with its prompts and schemas inside (P3)', () => {
    expect(plan).toMatchObject({
      flow: 'support/customer-support',
      version: '2.0.0',
      limits: { timeMs: 60_000, costMicroUsd: 50_000, steps: 20 },
    })
    expect(plan.blocks[plan.entry]).toEqual(['classify', 'docs', 'facts', 'answer'])
    expect(Object.keys(plan.prompts)).toEqual(['classify-intent@1', 'support-answer@3'])
    expect(plan.prompts['support-answer@3']?.system).toEqual([{ text: 'Answer from the passages only.' }])
    expect(plan.input).toEqual({
      type: 'object',
      properties: { ticket: { type: 'string' }, text: { type: 'string' }, sensitive: { type: 'boolean', default: false } },
      required: ['ticket', 'text'],
    })
  })

  it('keeps failover, retries and times of each step', () => {
    expect(node(plan, 'answer')).toMatchObject({ kind: 'model', models: ['gpt-large', 'haiku-small'], timeoutMs: 8_000 })
    expect(node(plan, 'classify').retry).toEqual({ attempts: 3, backoff: 'exponential', delayMs: 500, maxDelayMs: 30_000, jitter: true })
    expect(node(plan, 'docs')).toMatchObject({
      kind: 'retrieve',
      index: 'help',
      top: 5,
      with: { object: { query: { cel: 'input.text' } } },
    })
  })

  it('compares the cases of a switch in their order', () => {
    expect(node(plan, 'facts')).toMatchObject({
      kind: 'switch',
      on: 'classify.intent',
      rules: [
        { label: 'refund', when: '(classify.intent) == "refund"', outcome: { then: 'run' } },
        { label: 'technical' },
        { label: 'unknown' },
      ],
    })
    expect(node(plan, 'facts/unknown')).toMatchObject({ kind: 'human', name: null, human: { queue: 'support', slaMs: 7_200_000 } })
  })

  it('asks the person behind a gate for the same schema as the model, and shows the draft', () => {
    const person = node(plan, 'answer/gate[2]')
    expect(person).toMatchObject({ kind: 'human', human: { queue: 'senior', priority: 'emergency', slaMs: 1_800_000, onTimeout: 'fail' } })
    expect(person.returns).toEqual(node(plan, 'answer').returns)
    expect(person.with).toEqual({ object: { input: { cel: 'input' }, draft: { cel: 'it' } } })
  })

  it('fails after the error handler unless its then says otherwise', () => {
    expect(plan.onError).toMatchObject({ then: 'run', after: 'fail' })
    expect(compiled(SUPPORT.replace('{ tool: ops/log_error }', '{ tool: ops/log_error, then: end }')).onError).toMatchObject({
      after: 'end',
    })
  })

  it('runs: every expression of it compiles', () => {
    const program = loadProgram(plan)
    const scope = { input: { sensitive: true }, params: { send: 0.8, review: 0.5 }, run: {}, steps: {}, it: { confidence: 0.2 } }
    const gate = node(plan, 'answer').gate ?? []
    expect(gate.map(({ when }) => when === undefined || program.test(when, scope))).toEqual([false, false, true, true])
  })
})

describe('the hash of a plan', () => {
  it('P1: does not depend on the order of keys, on comments or on the notation', () => {
    const one = compiled('steps:\n  - a: { tool: x, with: { b: 1, c: =input } } # first\n')
    const two = compiled('{ "steps": [ { "a": { "with": { "c": "=input", "b": 1 }, "tool": "x" } } ] }')
    expect(two.hash).toBe(one.hash)
    expect(planHash(two)).toBe(one.hash)
  })

  it('P1: stays the same from version to version of Baton', () => {
    expect(compiled(CHAIN).hash).toBe('4ee76f57fd41958086716df5caf3e5ac90b9a4cc2ac483ea43711cabe79d5ce0')
  })

  it('P3: changes with the text of a prompt and with a schema', () => {
    const { hash } = compiled(SUPPORT)
    expect(compiled(SUPPORT, { 'support/prompts/classify-intent@1.md': 'Another prompt: {{ text }}' }).hash).not.toBe(hash)
    expect(
      compiled(SUPPORT, { 'support/schemas/intent@1.yaml': 'intent: refund | technical | unknown\nconfidence: number\n' }).hash,
    ).not.toBe(hash)
  })
})

describe('outcomes', () => {
  it('P2: jump forward, run blocks of named steps, ask again, and go on as they say', () => {
    const plan = compiled(`steps:
  - draft:
      tool: write
      gate:
        - { when: it.good, then: last }
        - { when: it.fair, then: { retry: { model: big, attempts: 2 } } }
        - when: it.poor
          then:
            do:
              - fetched: { tool: fetch, with: { url: =it.url } }
              - fixed: { tool: fix, with: { page: =fetched } }
            then: end
        - { else: { retry: { attempts: 1 } } }
        - { else: fail }
      onError: next
  - between: { task: convert }
  - last: { set: { done: true, draft: =draft } }
`)
    expect(node(plan, 'draft').gate?.map(({ outcome }) => outcome)).toEqual([
      { then: 'step', step: 'last' },
      { then: 'retry', attempts: 2, models: ['big'] },
      { then: 'run', block: 1, after: 'end' },
      { then: 'retry', attempts: 1 },
      { then: 'fail' },
    ])
    expect(plan.blocks[1]).toEqual(['draft/gate[2]/fetched', 'draft/gate[2]/fixed'])
    expect(node(plan, 'draft').onError).toEqual({ then: 'next' })
    expect(node(plan, 'between').with).toEqual({ object: { input: { cel: 'input' }, it: { cel: 'draft' } } })
    expect(node(plan, 'last')).toMatchObject({ kind: 'set', value: { object: { done: { lit: true }, draft: { cel: 'draft' } } } })
  })

  it('cases are literals, also with a final question mark, numbers and truth values', () => {
    const plan = compiled(`steps:
  - a: { switch: =input.x, cases: { yes?: next, 5: end, true: fail, "1.0": next }, else: next }
`)
    expect(node(plan, 'a')).toMatchObject({
      rules: [
        { when: '(input.x) == "1.0"' },
        { when: '(input.x) == 5' },
        { when: '(input.x) == true' },
        { when: '(input.x) == "yes?"' },
        { label: 'else' },
      ],
    })
  })

  it('a switch over truth values or an enum of the input needs no else when it is complete', () => {
    const plan = compiled(`input: { kind: a | b, urgent: boolean }
steps:
  - one: { switch: =input.kind, cases: { a: next, b: end } }
  - two: { switch: =input.urgent, cases: { true: next, false: end } }
`)
    expect(Object.keys(plan.nodes)).toEqual(['one', 'two'])
  })
})

describe('schemas', () => {
  it('short forms become JSON Schema', () => {
    const plan = compiled(`input:
  name: string
  note: string?
  kind: refund | technical
  score: 0..1
  tags: string[]
  either: string | null
  place: { city: string, zip: { type: string, pattern: "^[0-9]+$" } }
  count: { type: integer, min: 1, max: 9, about: how many }
steps:
  - a: hello
`)
    expect(plan.input).toEqual({
      type: 'object',
      properties: {
        name: { type: 'string' },
        note: { type: 'string' },
        kind: { enum: ['refund', 'technical'] },
        score: { type: 'number', minimum: 0, maximum: 1 },
        tags: { type: 'array', items: { type: 'string' } },
        either: { type: ['string', 'null'] },
        place: {
          type: 'object',
          properties: { city: { type: 'string' }, zip: { type: 'string', pattern: '^[0-9]+$' } },
          required: ['city', 'zip'],
        },
        count: { type: 'integer', minimum: 1, maximum: 9, description: 'how many' },
      },
      required: ['name', 'kind', 'score', 'tags', 'either', 'place', 'count'],
    })
  })

  it('a JSON Schema is taken over word for word', () => {
    const schema = {
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      type: 'object',
      properties: {
        any: {},
        text: { description: 'what was said', type: ['string', 'null'] },
        list: { type: 'array', items: { $ref: '#/$defs/item' } },
      },
      required: ['text'],
      additionalProperties: false,
      $defs: { item: { oneOf: [{ type: 'string' }, { const: 5 }] } },
    }
    const plan = compiled('input: in@1\nsteps:\n  - a: hello\n', { 'support/schemas/in@1.json': JSON.stringify(schema) })
    expect(plan.input).toEqual(schema)
  })

  it('a field may be called type', () => {
    const plan = compiled('input: { type: refund | technical, amount: number }\nsteps:\n  - a: hello\n')
    expect(plan.input).toMatchObject({ properties: { type: { enum: ['refund', 'technical'] }, amount: { type: 'number' } } })
  })
})
