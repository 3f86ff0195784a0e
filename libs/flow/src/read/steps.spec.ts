/* oxlint-disable unicorn/no-thenable -- `then` is a word of the plan */
import { describe, expect, it } from '@jest/globals'
import { nodePartsOf } from '../plan.ts'
import { mistakesIn, nodeOf, planOf } from '../testing/compiled.ts'

const INPUT = 'input: { text: string, order: string, items: { type: list, items: { name: string } } }\n'
const step = (body: string, top = ''): string => `${INPUT}${top}steps:\n  - a: ${body}\n`

describe('parallel (A3)', () => {
  it('has a block for each branch: a prompt, a body or steps', () => {
    const plan = planOf(
      step('{ parallel: { c: "Sum {{ input.text }}", b: { tool: x }, d: [{ e: hi }, { f: "{{ e }}" }] }, join: first, onFailure: null }'),
    )
    const node = plan.nodes['a']
    expect(node).toMatchObject({
      kind: 'parallel',
      branches: [
        { name: 'b', block: 1 },
        { name: 'c', block: 2 },
        { name: 'd', block: 3 },
      ],
      join: { join: 'first' },
      onFailure: 'null',
    })
    expect(plan.blocks).toEqual([['a'], ['a/b'], ['a/c'], ['a/d/e', 'a/d/f']])
    expect(node && nodePartsOf(node).map(({ label }) => label)).toEqual(['branch b', 'branch c', 'branch d'])
    expect(Object.keys(plan.nodes).toSorted()).toEqual(['a', 'a/b', 'a/c', 'a/d/e', 'a/d/f'])
  })

  it('waits for all unless it says otherwise, and for as many as it says', () => {
    expect(nodeOf(step('{ parallel: { b: hi, c: ho } }'), 'a')).toMatchObject({ join: { join: 'all' }, onFailure: 'fail' })
    expect(nodeOf(step('{ parallel: { b: hi, c: ho }, join: { quorum: 2 } }'), 'a')).toMatchObject({ join: { join: 'quorum', quorum: 2 } })
  })

  it.each([
    [
      '{ parallel: [hi] }',
      '3:20 flow.wrong_type parallel is a map of branches, not a list | parallel: { facts: Extract the facts …, tone: Judge the tone … }',
    ],
    [
      '{ parallel: { b: hi }, join: most }',
      '3:37 flow.wrong_type join is all, any, first or { quorum: 2 }, not the text "most" | join: { quorum: 1 }',
    ],
    ['{ parallel: { b: hi }, onFailure: ignore }', '3:42 flow.wrong_type onFailure is fail, collect or null, not the text "ignore"'],
    ['{ tool: x, join: all }', '3:19 flow.unknown_key "join" means nothing on a tool step'],
  ])('%s', (body, mistake) => {
    expect(mistakesIn(step(body))).toEqual([mistake])
  })
})

describe('map (A4)', () => {
  it('goes over a list, each item under its name', () => {
    const plan = planOf(step('{ map: =input.items, as: product, each: "{{ index }} {{ product.name }}", concurrency: 4 }'))
    expect(plan.nodes['a']).toMatchObject({
      kind: 'map',
      over: 'input.items',
      as: 'product',
      each: 1,
      concurrency: 4,
      chunk: 1,
      max: 10_000,
      onFailure: 'fail',
    })
    expect(plan.nodes['a/each']?.with).toEqual({
      object: { index: { cel: 'index' }, product: { object: { name: { cel: 'product.name' } } } },
    })
  })

  it('needs a list and what to do with it', () => {
    expect(mistakesIn(step('{ map: input.items, each: hi }'))).toEqual([
      '3:15 flow.wrong_type map must be an expression; without "=" this is the literal text "input.items" | =input.items',
    ])
    expect(mistakesIn(step('{ map: =input.items }'))).toEqual([
      '3:10 flow.missing_key a map needs what to do with each item | each: Summarise {{ item.text }}',
    ])
  })
})

describe('vote (A5)', () => {
  it('a number of voters or a list of models get the ballot of the step', () => {
    const plan = planOf(
      step(
        '{ vote: { voters: [big, { model: small, weight: 2 }], on: =it.kind, rule: weighted, tie: fail }, prompt: hi, returns: { kind: x | y } }',
      ),
    )
    expect(plan.nodes['a']).toMatchObject({
      kind: 'vote',
      voters: [
        { block: 1, weight: 1 },
        { block: 2, weight: 2 },
      ],
      rule: 'weighted',
      early: false,
      on: 'it.kind',
      tie: { then: 'fail' },
    })
    expect(plan.nodes['a/voter[1]']).toMatchObject({ kind: 'model', models: ['small'], prompt: 'inline:a', returns: { type: 'object' } })
    expect(planOf(step('{ vote: { voters: 3 }, model: big, prompt: hi }')).blocks).toHaveLength(4)
  })

  it('voters may be steps of their own, and a judge decides', () => {
    const plan = planOf(step('{ vote: { voters: [{ tool: x }, { tool: y, weight: 3 }], judge: "Which of {{ it }}?" } }'))
    expect(plan.nodes['a']).toMatchObject({ rule: 'judge', judge: 3, voters: [{ weight: 1 }, { weight: 3 }] })
    expect(plan.nodes['a/judge']).toMatchObject({ kind: 'model', with: { object: { it: { cel: 'it' } } } })
  })

  it.each([
    ['{ vote: { voters: 3 } }', '3:10 flow.missing_key the voters need a prompt | prompt: NAME@1, or the prompt itself'],
    [
      '{ vote: { voters: 0 }, prompt: hi }',
      '3:26 flow.wrong_type voters is a number up to 50, or a list of models or steps, not the number 0 | voters: 3',
    ],
    [
      '{ vote: { voters: 3, rule: judge }, prompt: hi }',
      '3:35 flow.missing_key rule: judge needs a judge | judge: Which of {{ it }} is right?',
    ],
  ])('%s', (body, mistake) => {
    expect(mistakesIn(step(body))).toEqual([mistake])
  })
})

describe('loop, wait, emit, flow (A8 to A10)', () => {
  it('a loop has a cap, an end and a body that owes the output', () => {
    const plan = planOf(
      step(
        '{ loop: { max: 5, until: it.score >= 0.9 }, do: [{ b: { prompt: "Better {{ it }}", returns: { score: 0..1 } } }], returns: { score: 0..1 } }',
      ),
    )
    expect(plan.nodes['a']).toMatchObject({ kind: 'loop', body: 1, until: 'it.score >= 0.9', max: 5 })
    expect(plan.blocks[1]).toEqual(['a/do/b'])
    expect(plan.nodes['a/do/b']?.returns).toMatchObject({ required: ['score'] })
  })

  it('waiting is for a time, or for an event with its own timeout', () => {
    expect(nodeOf(step('{ wait: 10m }'), 'a')).toMatchObject({ kind: 'wait', forMs: 600_000 })
    const event = nodeOf(
      step('{ wait: { event: payment/done, match: event.order == input.order, key: =input.order, timeout: 2d }, onTimeout: fail }'),
      'a',
    )
    expect(event).toMatchObject({
      kind: 'event',
      timeoutMs: 172_800_000,
      event: 'payment/done',
      match: 'event.order == input.order',
      key: { cel: 'input.order' },
      onTimeout: { then: 'fail' },
    })
  })

  it('an event is emitted, another flow is called by version or alias', () => {
    expect(nodeOf(step('{ emit: { topic: orders, type: order.paid, key: =input.order } }'), 'a')).toMatchObject({
      effect: 'write',
      topic: 'orders',
      type: 'order.paid',
      key: { cel: 'input.order' },
    })
    expect(nodeOf(step('{ flow: shop/child@stable, limits: { cost: 0.01 USD } }'), 'a')).toMatchObject({
      with: { cel: 'input' },
      flow: 'shop/child',
      version: 'stable',
      limits: { costMicroUsd: 10_000 },
    })
  })

  it.each([
    ['{ wait: soon }', '3:16 literal.duration wait must be a duration like 500ms, 5s, 120m, 2h or 7d, not the text "soon" | 5s'],
    ['{ wait: { timeout: 5s } }', '3:16 flow.missing_key wait needs a time or an event | wait: 10m, or wait: { event: payment/confirmed }'],
    ['{ wait: 10m, retry: 2 }', '3:21 flow.unknown_key "retry" means nothing on a wait step'],
    ['{ loop: 5 }', '3:10 flow.missing_key a loop needs what to do | do: [{ draft: Improve {{ it }} }]'],
    ['{ emit: a b }', '3:16 name.invalid "a b" is not the name of a topic: letters, digits, "." "_" "-"'],
    ['{ flow: Child }', '3:16 name.invalid a flow is namespace/name, namespace/name@1.0.0 or namespace/name@stable, not the text "Child"'],
  ])('%s', (body, mistake) => {
    expect(mistakesIn(step(body))).toEqual([mistake])
  })
})

describe('fields of a step', () => {
  it.each([
    ['failover: { tool: y }', { failover: [1] }],
    ['failover: [{ tool: y }, hi]', { failover: [1, 2] }],
    ['undo: { tool: y }', { undo: { block: 1, sees: [] } }],
    ['budget: 0.01 USD', { budget: { costMicroUsd: 10_000 } }],
    ['budget: { tokens: 20k, calls: 3 }', { budget: { tokens: 20_000, calls: 3 } }],
    ['timeout: 5s, onTimeout: end', { timeoutMs: 5_000, onTimeout: { then: 'end' } }],
    ['onLimit: { tool: y }', { onLimit: { then: 'run', block: 1 } }],
    ['onError: { tool: y }', { onError: { then: 'run', block: 1, after: 'fail' } }],
  ])('%s is part of the step', (text, said) => {
    const plan = planOf(`steps:\n  - a: { tool: x, ${text} }\n`)
    expect(plan.nodes['a']).toEqual({ id: 'a', name: 'a', kind: 'tool', tools: ['x'], with: { lit: {} }, effect: 'write', ...said })
  })

  it('what takes an effect back says which names it reads, so that their values are kept until then', () => {
    const undo = '{ tool: y, with: { order: =input.order, at: =a.id, by: "=b[0].who" }, when: c.ok }'
    const text = `${INPUT}steps:\n  - b: { tool: w }\n  - c: { tool: v }\n  - a: { tool: x, undo: ${undo} }\n`
    expect(nodeOf(text, 'a').undo?.sees).toEqual(expect.arrayContaining(['a', 'b', 'c']))
    expect(nodeOf(text, 'a').undo?.sees).not.toContain('input')
  })

  it.each([
    [
      'guard: [pii, { toxicity: { max: 50% } }]',
      {
        guard: [
          { guard: 'pii', options: {} },
          { guard: 'toxicity', options: { max: 0.5 } },
        ],
      },
    ],
    ['cache: 10m', { cache: { ttlMs: 600_000, scope: 'tenant' } }],
    ['cache: { for: 10m, key: =input.text, scope: run }', { cache: { ttlMs: 600_000, scope: 'run', key: { cel: 'input.text' } } }],
    ['hedge: 500ms', { hedge: { afterMs: 500, max: 1 } }],
    ['hedge: { after: 1s, max: 2 }', { hedge: { afterMs: 1_000, max: 2 } }],
    ['media: [=input.image]', { media: [{ cel: 'input.image' }] }],
  ])('%s stands on the step as it is', (text, said) => {
    expect(nodeOf(`steps:\n  - a: { prompt: x, ${text} }\n`, 'a')).toMatchObject(said)
  })

  it('a context has parts by priority, from expressions, buffers and the history', () => {
    const parts =
      '[{ name: text, from: =input.text, cut: never }, { buffer: notes, tokens: 1k, least: 200 }, { from: history, turns: 5, priority: 1 }]'
    expect(
      nodeOf(step(`{ prompt: x, context: { tokens: 6k, parts: ${parts} }, writes: notes }`, 'buffers: { notes: {} }\n'), 'a'),
    ).toMatchObject({
      context: {
        tokens: 6_000,
        parts: [
          { name: 'text', from: { value: { cel: 'input.text' } }, priority: 1, cut: 'never' },
          { name: 'notes', from: { buffer: 'notes' }, priority: 2, cut: 'end', tokens: 1_000, least: 200 },
          { name: 'history', from: { history: true }, priority: 1, cut: 'end', turns: 5 },
        ],
      },
      writes: 'notes',
    })
  })

  it('a part fills the slot of its name, and the step is not asked for it; a field of a part is no slot', () => {
    const context = 'context: { parts: [{ name: docs, from: =input.items }] }'
    const plan = planOf(step(`{ prompt: 'Use {{ docs }} for {{ q }}', with: { q: =input.text }, ${context} }`))
    expect(plan.nodes['a']?.with).toEqual({ object: { q: { cel: 'input.text' } } })
    expect(planOf(step(`{ prompt: 'Use {{ docs }} for {{ input.text }}', ${context} }`)).nodes['a']?.with).toEqual({
      object: { input: { object: { text: { cel: 'input.text' } } } },
    })
    expect(mistakesIn(step(`{ prompt: 'Use {{ docs.first }}', with: { q: =input.text }, ${context} }`))).toEqual([
      '3:26 prompt.slot_unknown the prompt asks for {{ docs.first }}, and "with" of the step has no "docs"',
    ])
    const agents = `agents: { clerk: { prompt: 'Use {{ docs }}.', limits: { turns: 2 }, context: { parts: [{ name: docs, from: =input.items }] } } }\n`
    expect(mistakesIn(step('{ agent: clerk, with: { items: =input.items } }', agents))).toEqual([])
  })

  it('what a step falls back to owes its output; what takes it back owes nothing', () => {
    const plan = planOf('steps:\n  - a: { tool: x, returns: { n: number }, failover: { tool: y }, undo: { tool: z } }\n')
    expect(plan.nodes['a/failover[0]']?.returns).toMatchObject({ required: ['n'] })
    expect(plan.nodes['a/undo']?.returns).toBeUndefined()
  })

  it.each([
    ['budget: 5', '3:29 literal.money budget must be an amount like 0.05 USD, not the number 5 | 5 USD'],
    ['hedge: 500', '3:28 literal.duration hedge must be a duration like 500ms, 5s, 120m, 2h or 7d, not the number 500 | 500s'],
    ['writes: notes', '3:29 buffer.unknown there is no buffer "notes"'],
    [
      'context: { parts: [{ from: =input.text }] }',
      '3:40 flow.missing_key a part of the context needs a name | { name: docs, from: =docs.items }',
    ],
    [
      'context: { parts: [{ from: history, tokens: 100, least: 200 }] }',
      '3:77 literal.range least is 200, and the part has at most 100 tokens | 100',
    ],
    ['context: { parts: [{ from: history, least: 20 }] }', '3:64 literal.range least is 100 tokens or more, not 20 | 100'],
    [
      'context: { tokens: 300, parts: [{ from: history, least: 200 }, { name: b, from: =input.text, least: 200 }] }',
      '3:40 literal.range the parts keep at least 400 tokens, and there is room for 300 | 400',
    ],
    ['context: { parts: [{ buffer: nots }] }', '3:50 buffer.unknown there is no buffer "nots"'],
    ['cache: { scope: run }', '3:28 flow.missing_key a cache needs how long an answer is good for | cache: { for: 10m }'],
  ])('%s', (text, mistake) => {
    expect(mistakesIn(step(`{ prompt: x, ${text} }`))).toEqual([mistake])
  })
})
