import { describe, expect, it } from '@jest/globals'
import { emitPlan } from '../emit.ts'
import { EVERYTHING } from '../testing/everything.ts'
import { SAMPLE_FILES, SUPPORT } from '../testing/samples.ts'
import { openFlow, openPlan, type OpenedFlow } from './open.ts'
import { stepsOfOutline } from './outline.ts'
import { treeOfPlan } from './plan-tree.ts'
import { durationWords, limitWords, listWords, moneyWords, schemaWords } from './words.ts'

const opened = (text: string, entry = 'support/flow.yaml'): OpenedFlow => {
  const result = openFlow({ files: new Map([...SAMPLE_FILES, [entry, text]]), entry })
  if (!result.ok) throw new Error(JSON.stringify(result.diagnostics))
  return result.flow
}

const COMPOSED = `triggers: [{ topic: pages, key: =event.id, input: { a: =event.text, b: =event.note, items: =event.items } }]
onLimit: { human: desk, then: end }
agents:
  writer: { model: a, prompt: "Write about {{ it }}", limits: { turns: 3, calls: 5 }, minConfidence: 0.5, fallback: { human: { queue: desk, sla: 1h } } }
steps:
  - looks:
      parallel: { left: "Look at {{ input.a }}", right: [ { look: "Look at {{ input.b }}" }, { sum: "Sum up {{ look }}" } ] }
  - items: { map: =input.items, each: "Look at {{ item }}", max: 10 }
  - rounds: { loop: { max: 3, until: it.ok }, do: [{ one: { prompt: "Try {{ it }}", returns: { ok: boolean } } }] }
  - pay: { tool: bank/pay, failover: { tool: bank/other }, undo: { tool: bank/back } }
`

describe('the outline of a flow', () => {
  it('O1: is the same of a plan and of its file, whatever the file looks like', () => {
    const flow = opened(SUPPORT)
    expect(openPlan(flow.plan).outline).toEqual(flow.outline)
    expect(opened(`# other\n${SUPPORT.replaceAll(/ +#.*$/gm, '')}`).outline).toEqual(flow.outline)
  })

  it('a plan becomes a tree that gives the same plan', () => {
    for (const entry of ['chain.yaml', 'support/flow.yaml']) {
      const { plan } = opened(SAMPLE_FILES.get(entry) ?? '', entry)
      const tree = treeOfPlan(plan)
      expect(emitPlan(tree).hash).toBe(plan.hash)
    }
  })

  it('a plan of composed steps, agents and triggers becomes such a tree as well', () => {
    const { plan } = opened(COMPOSED)
    expect(emitPlan(treeOfPlan(plan)).hash).toBe(plan.hash)
  })

  it('holds what stands inside steps, and what happens when an agent is not sure', () => {
    const { outline, plan } = opened(COMPOSED)
    expect(
      outline.steps.map(({ kind, parts }) => [kind, ...parts.map(({ role, label, steps }) => `${role} ${label}: ${steps.length}`)]),
    ).toEqual([
      ['parallel', 'branch left: 1', 'branch right: 2'],
      ['map', 'each each item: 1'],
      ['loop', 'round each round: 1'],
      ['tool', 'failover failover 1: 1', 'undo undo: 1'],
    ])
    expect(outline.fallbacks).toMatchObject([{ label: 'writer is not sure', outcome: { steps: [{ kind: 'human' }] } }])
    expect(stepsOfOutline(outline)).toHaveLength(13)
    expect(openPlan(plan).outline).toEqual(outline)
  })

  it('says what of the flow is neither a step nor an outcome', () => {
    const { facts } = opened(EVERYTHING).outline
    expect(facts).toMatchObject({
      labels: { team: 'shop' },
      results: 'shop.results',
      agents: {
        clerk: { model: ['large', 'small'], prompt: expect.stringContaining('Answer {{ text }}'), selfCheck: 'Is {{ it }} right?' },
        technician: { handoff: ['clerk'], context: { tokens: 4_000, parts: [{ from: { history: true }, turns: 5 }] } },
      },
      buffers: { findings: { items: 100 } },
      history: { turns: 10 },
    })
    expect(facts['triggers']).toMatchObject([
      { kind: 'topic', key: '=event.id', when: '=event.kind == "ticket"', input: { text: '=event.text' } },
      { kind: 'http' },
      { kind: 'schedule', cron: '0 6 * * 1-5' },
      { kind: 'schedule', everyMs: 3_600_000 },
    ])
  })

  it('says the fields beside what a step does, as they are written', () => {
    const [first] = opened(EVERYTHING).outline.steps
    expect(first).toMatchObject({
      kind: 'model',
      facts: {
        model: ['strong'],
        budget: { tokens: 2_000 },
        cache: { key: '=input.text' },
        media: ['=input.image'],
        writes: 'findings',
        context: { parts: [{ from: { value: '=input.items' } }, { from: { buffer: 'findings' } }] },
      },
    })
  })

  it('has words for figures and schemas', () => {
    expect([500, 1_000, 90_000, 93_600_000].map(durationWords)).toEqual(['500 ms', '1 s', '1 min 30 s', '1 d 2 h'])
    expect([50_000, 1_000_000, 1].map(moneyWords)).toEqual(['0.05 USD', '1.00 USD', '0.000001 USD'])
    expect([listWords([]), listWords(['a']), listWords(['a', 'b', 'c'])]).toEqual(['', 'a', 'a, b and c'])
    expect(limitWords({ timeMs: 60_000, steps: 1, tokens: 20_000 })).toEqual(['1 min of work', '1 step', '20000 tokens'])
    expect(
      schemaWords({
        type: 'object',
        properties: { a: { enum: ['x', 'y'] }, b: { type: 'array', items: { type: 'number' } } },
        required: ['a'],
      }),
    ).toBe('a (x | y), b (list of number, optional)')
  })
})
