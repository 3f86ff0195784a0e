// The same flow as a file and as a program, with the schemas of zod.
/* oxlint-disable unicorn/no-thenable -- `then` is a word of the flow format; nothing here is ever awaited */
import { describe, expect, it } from '@jest/globals'
import { parse } from 'yaml'
import { z } from 'zod'
import { compileFlow } from '../compile.ts'
import { compileData, flow, gte, human, model, retrieve, schema, switchOn, tool, type FlowData } from './index.ts'
import { shapeData } from './shape.ts'

const FILE = `flow: support/customer-support@2.0.0
limits: { time: 60s, cost: 0.05 USD, steps: 20 }
params:
  send: { type: number, default: 0.8, min: 0.5, max: 1 }
input: { ticket: string, text: string, sensitive: { type: boolean, default: false } }
steps:
  - classify:
      model: strong
      prompt: 'Which intent? {{ text }}'
      with: { text: =input.text }
      returns: { intent: refund | technical | unknown, confidence: 0..1 }
      timeout: 5s
      retry: { attempts: 3, backoff: exponential }
      gate:
        - { when: it.confidence >= params.send, then: next }
        - { when: input.sensitive, then: { human: { queue: senior, priority: emergency, sla: 30m } } }
        - { else: { human: { queue: support, priority: low, sla: 360m } } }
  - docs:
      retrieve: help
      with: { query: =input.text, top: 5 }
      timeout: 10s
  - facts:
      switch: =classify.intent
      cases:
        refund: { tool: billing/refund_status, with: { ticket: =input.ticket }, returns: { text: string } }
        technical: { tool: support/diagnose, with: { text: =input.text }, returns: { text: string } }
        unknown: { human: support, returns: { text: string } }
onError: { tool: ops/log_error }
output: { text: =facts.text, by: =facts.by }
`

const Text = z.object({ text: z.string() })
const support = flow('support/customer-support@2.0.0')
  .limits({ time: '60s', cost: '0.05 USD', steps: 20 })
  .params({ send: { type: 'number', default: 0.8, min: 0.5, max: 1 } })
  .input(z.object({ ticket: z.string(), text: z.string(), sensitive: z.boolean().default(false) }))
  .step(
    'classify',
    model({
      model: 'strong',
      prompt: 'Which intent? {{ text }}',
      with: ({ input }) => ({ text: input.text }),
      returns: z.object({ intent: z.enum(['refund', 'technical', 'unknown']), confidence: z.number().min(0).max(1) }),
      timeout: '5s',
      retry: { attempts: 3, backoff: 'exponential' },
      gate: ({ it, params, input }) => [
        { when: gte(it.confidence, params.send), then: 'next' },
        { when: input.sensitive, then: human({ queue: 'senior', priority: 'emergency', sla: '30m' }) },
        { else: human({ queue: 'support', priority: 'low', sla: '360m' }) },
      ],
    }),
  )
  .step('docs', retrieve('help', { query: ({ input }) => input.text, top: 5, timeout: '10s' }))
  .step('facts', ({ classify, input }) =>
    switchOn(classify.intent, {
      refund: tool('billing/refund_status', { with: { ticket: input.ticket }, returns: Text }),
      technical: tool('support/diagnose', { with: { text: input.text }, returns: Text }),
      unknown: human('support', { returns: Text }),
    }),
  )
  .onError(tool('ops/log_error'))
  .output(({ facts }) => ({ text: facts.text, by: facts.by }))

describe('a flow in TypeScript (A1)', () => {
  it('F1: compiles to the plan of the same flow as a file, zod and all', () => {
    const file = compileFlow({ files: new Map([['flow.yaml', FILE]]), entry: 'flow.yaml' })
    const program = support.compile()
    expect(program.diagnostics).toEqual([])
    expect(program.ok && program.plan.hash).toBe(file.ok && file.plan.hash)
  })

  it('F1: is the data of that file but for the way schemas are written', () => {
    const file = parse(FILE) as FlowData
    expect(support.data['steps']).toHaveLength(3)
    expect({ ...support.data, input: 0, steps: 0 }).toEqual({ ...file, input: 0, steps: 0 })
  })

  it('is never changed: every call gives a flow of its own', () => {
    const start = flow('a/b@1.0.0').input({ text: 'string' })
    const one = start.step('one', 'Say {{ input.text }}')
    const two = start.step('two', 'Do not say {{ input.text }}')
    expect([start.data['steps'], one.data['steps'], two.data['steps']].map((steps) => JSON.stringify(steps ?? []))).toEqual([
      '[]',
      '[{"one":"Say {{ input.text }}"}]',
      '[{"two":"Do not say {{ input.text }}"}]',
    ])
  })

  it('is checked like a file: what the types cannot see is a diagnostic', () => {
    const wrong = flow('a/b@1.0.0').step('one', 'Say {{ input.text }} and {{ two }}')
    expect(wrong.compile()).toMatchObject({ ok: false, diagnostics: [{ code: 'reference.unknown' }] })
    expect(compileData(wrong.data)).toMatchObject({ ok: false })
  })
})

describe('a schema', () => {
  it('of zod is the short form word for word, where there is one', () => {
    const long = flow()
      .input(
        z.object({
          a: z.string(),
          b: z.int(),
          c: z.enum(['x', 'y']),
          d: z.array(z.string()).optional(),
          e: z.number().min(0).max(1),
          f: z.string().nullable(),
        }),
      )
      .step('s', 'x')
      .compile()
    const short = flow().input({ a: 'string', b: 'integer', c: 'x | y', d: 'string[]?', e: '0..1', f: 'string | null' }).step('s', 'x')
    const plan = short.compile()
    expect(long.ok && long.plan.input).toEqual(plan.ok && plan.plan.input)
  })

  it('is normalised below its top, and values in it are left alone', () => {
    const shape = z.object({
      list: z.array(z.object({ n: z.int(), w: z.literal('a') })),
      x: z.object({ type: z.string() }).default({ type: 'string' }),
    })
    expect(shapeData(shape)).toMatchObject({
      properties: { list: { items: { properties: { n: { type: 'integer' } } } }, x: { default: { type: 'string' } } },
    })
    expect(JSON.stringify(shapeData(shape))).not.toContain('9007199254740991')
  })

  it('by name is left as it is, with the type it was told', () => {
    const named = flow()
      .step('a', model({ prompt: 'x', returns: schema<{ text: string }>('answer@1') }))
      .output(({ a }) => a.text)
    expect(named.data).toEqual({ steps: [{ a: { prompt: 'x', returns: 'answer@1' } }], output: '=a.text' })
  })
})
