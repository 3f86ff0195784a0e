/* oxlint-disable unicorn/no-thenable -- `then` is a word of the plan */
import { describe, expect, it } from '@jest/globals'
import { mistakesIn, nodeOf, planOf } from '../testing/compiled.ts'

const STEPS = 'steps:\n  - a: hi\n'

describe('prompts and schemas of a flow', () => {
  it('are used by name; a word that is nearly one is a mistake', () => {
    const top =
      'prompts: { short: "Say {{ text }}", long: { system: Be kind., text: "Tell {{ text }}" } }\nschemas: { intent: { kind: x | y } }\n'
    const plan = planOf(`${top}steps:\n  - a: { model: m, prompt: long, with: { text: hi }, returns: intent }\n`)
    expect(plan.nodes['a']).toMatchObject({ prompt: 'long', returns: { properties: { kind: { enum: ['x', 'y'] } } } })
    expect(plan.prompts).toEqual({ long: { parts: [{ text: 'Tell ' }, { slot: ['text'] }], system: [{ text: 'Be kind.' }] } })
    expect(mistakesIn(`${top}steps:\n  - a: { model: m, prompt: lnog }\n`)).toEqual([
      '4:28 prompt.unknown there is no prompt "lnog"; did you mean "long"? | long',
    ])
  })

  it('schemas hold each other, in lists and beside null, but not themselves', () => {
    const plan = planOf(
      'schemas: { one: { n: number }, many: "one[]" }\ninput: { list: many, last: one | null, kind: image | audio }\nsteps:\n  - a: hi\n',
    )
    const one = { type: 'object', properties: { n: { type: 'number' } }, required: ['n'] }
    expect(plan.input).toMatchObject({
      properties: { list: { type: 'array', items: one }, last: { anyOf: [one, { type: 'null' }] }, kind: { enum: ['image', 'audio'] } },
    })
    expect(mistakesIn(`schemas: { one: { n: two }, two: { m: one } }\n${STEPS}`).join()).toContain('"one" is not a type')
  })

  it('C11: images, audio and files are references with a largest size', () => {
    const media = { type: 'object', format: 'image', required: ['ref'] }
    const { input } = planOf(`input: { photo: image, scan: { type: image, max: 10MB }, maybe: image? }\n${STEPS}`)
    expect(input).toMatchObject({
      properties: { photo: media, scan: { ...media, properties: { bytes: { maximum: 10_485_760 } } }, maybe: media },
      required: ['photo', 'scan'],
    })
  })
})

describe('limits and params', () => {
  it('have units', () => {
    const plan = planOf(
      `limits: { time: 5m, cost: 0.05 USD, tokens: 20k, calls: 1M, depth: 3 }\nparams: { send: { type: number, default: 80%, min: 50%, max: 1 } }\n${STEPS}`,
    )
    expect(plan.limits).toEqual({
      timeMs: 300_000,
      totalMs: 2_592_000_000,
      steps: 100,
      costMicroUsd: 50_000,
      tokens: 20_000,
      calls: 1_000_000,
      depth: 3,
    })
    expect(plan.params['send']).toEqual({ type: 'number', default: 0.8, min: 0.5, max: 1 })
  })

  it.each([
    ['limits: { tokens: many }', '1:19 literal.range limits.tokens must be a whole number like 800, 20k or 1M, not the text "many" | 20k'],
    ['limits: { cost: 5 }', '1:17 literal.money limits.cost must be an amount like 0.05 USD, not the number 5 | 5 USD'],
    ['limits: { depth: 0 }', '1:18 literal.range limits.depth must be a whole number from 1 to 100, not the number 0'],
    ['params: { p: { type: number, default: 180%, max: 1 } }', '1:39 literal.range the default of param "p" is 1.8, above its maximum 1'],
  ])('%s', (top, mistake) => {
    expect(mistakesIn(`${top}\n${STEPS}`)).toEqual([mistake])
  })
})

describe('agents (A7)', () => {
  const AGENTS = `agents:
  clerk: { about: refunds, model: [big, small], prompt: "Help with {{ text }}", tools: [billing/status], for: refund, limits: { turns: 5, cost: 0.05 USD }, minConfidence: 60%, selfCheck: right?, fallback: expert, returns: { text: string, confidence: 0..1 } }
  expert: { prompt: "Solve {{ text }}", for: [technical], limits: { turns: 2 }, handoff: [clerk], fallback: { human: support } }
`

  it('have models, tools, limits and what comes when they are not sure enough', () => {
    const plan = planOf(`${AGENTS}${STEPS}`)
    expect(plan.agents).toEqual({
      clerk: {
        name: 'clerk',
        models: ['big', 'small'],
        prompt: expect.any(String),
        tools: ['billing/status'],
        for: ['refund'],
        limits: { turns: 5, costMicroUsd: 50_000 },
        handoff: [],
        minConfidence: 0.6,
        selfCheck: expect.any(String),
        fallback: { then: 'run', block: expect.any(Number) },
        returns: expect.objectContaining({ required: ['text', 'confidence'] }),
      },
      expert: expect.objectContaining({ models: ['default'], handoff: ['clerk'], fallback: { then: 'run', block: expect.any(Number) } }),
    })
    const { prompt, selfCheck } = plan.agents?.['clerk'] ?? {}
    expect([prompt, selfCheck].map((name) => plan.prompts[name ?? '']?.parts[0])).toEqual([{ text: 'Help with ' }, { text: 'right?' }])
    expect(plan.nodes['agents/clerk/fallback']).toMatchObject({
      kind: 'agent',
      agent: 'expert',
      with: { cel: 'input' },
      returns: { required: ['text', 'confidence'] },
    })
    expect(plan.nodes['agents/expert/fallback']?.with).toEqual({ object: { input: { cel: 'input' }, draft: { cel: 'it' } } })
  })

  it('are asked by name, with what their prompt asks for', () => {
    expect(nodeOf(`${AGENTS}steps:\n  - text: hi\n  - a: { agent: clerk }\n`, 'a')).toMatchObject({
      kind: 'agent',
      with: { object: { text: { cel: 'text' } } },
      agent: 'clerk',
    })
    expect(mistakesIn(`${AGENTS}steps:\n  - a: { agent: clerk, with: { txt: hi } }\n`)).toEqual([
      expect.stringContaining('prompt.slot_unknown the prompt asks for {{ text }}, and "with" of the step has no "text"'),
    ])
  })

  it('are chosen by what they are for, when there is one for each value', () => {
    const routed = (kinds: string): string =>
      `${AGENTS}input: { kind: ${kinds}, text: string }\nsteps:\n  - a: { agent: { for: =input.kind }, with: { text: =input.text } }\n`
    expect(nodeOf(routed('refund | technical'), 'a')).toMatchObject({ kind: 'agent', by: 'input.kind' })
    expect(mistakesIn(routed('refund | technicl'))).toEqual([
      '6:5 switch.incomplete no agent is for technicl; did you mean "technical"? | for: [technicl]',
    ])
    expect(mistakesIn(routed('string'))).toEqual([
      '6:5 switch.incomplete what input.kind can be is not declared, so there may be no agent for it | declare its values: kind: refund | technical',
    ])
  })

  it('may be files, which may name others', () => {
    const files = {
      'agents/clerk@1.yaml': 'prompt: short@1\nlimits: { turns: 2 }\nfallback: expert@2\n',
      'agents/expert@2.yaml': 'prompt: Solve {{ text }}\nlimits: { turns: 2 }\n',
      'prompts/short@1.md': 'Help with {{ text }}',
    }
    const text = 'steps:\n  - a: { agent: clerk@1, with: { text: hi } }\n'
    const plan = planOf(text, files)
    expect(Object.keys(plan.agents ?? {})).toEqual(['clerk@1', 'expert@2'])
    const { fallback } = plan.agents?.['clerk@1'] ?? {}
    const block = fallback?.then === 'run' ? plan.blocks[fallback.block] : undefined
    expect(block?.map((id) => plan.nodes[id])).toMatchObject([{ kind: 'agent', agent: 'expert@2' }])
    expect(mistakesIn('steps:\n  - a: { agent: clrk@1 }\n', files)).toEqual([
      '2:17 agent.unknown there is no file agents/clrk@1.yaml; did you mean "clerk@1"?',
    ])
  })

  it.each([
    ['a: { agent: clrk }', '5:17 agent.unknown there is no agent "clrk"; did you mean "clerk"? | clerk'],
    [
      'a: { team: { planner: clerk, workers: [exprt], synthesis: clerk, limits: { rounds: 2 } } }',
      '5:44 agent.unknown there is no agent "exprt"; did you mean "expert"? | expert',
    ],
    ['a: { team: { planner: clerk, workers: [expert] } }', '5:16 flow.missing_key a team needs a synthesis | synthesis: AGENT'],
  ])('%s', (step, mistake) => {
    expect(mistakesIn(`${AGENTS}steps:\n  - ${step}\n`)).toEqual([mistake])
  })

  it('A6: a team has a planner, workers and a synthesis, and its caps', () => {
    const team =
      '{ planner: clerk, workers: [expert], synthesis: clerk, limits: { rounds: 3, subtasks: 10, depth: 2, tokens: 100k, cost: 1 USD } }'
    expect(nodeOf(`${AGENTS}steps:\n  - a: { team: ${team} }\n`, 'a')).toMatchObject({
      kind: 'team',
      planner: 'clerk',
      workers: ['expert'],
      synthesis: 'clerk',
      concurrency: 4,
      limits: { rounds: 3, subtasks: 10, depth: 2, tokens: 100_000, costMicroUsd: 1_000_000 },
    })
  })
})

describe('buffers, history, triggers, onLimit', () => {
  it('C8: a buffer has a schema, an expiry and a size; the history has turns', () => {
    const text = `buffers: { notes: { of: { n: number }, expires: 1h, items: 5 } }\nhistory: { turns: 10, tokens: 2k }\nsteps:\n  - a: { set: =buffers.notes }\n`
    expect(planOf(text)).toMatchObject({
      buffers: { notes: { expiresMs: 3_600_000, items: 5, schema: { required: ['n'] } } },
    })
    expect(planOf(text).history).toEqual({ turns: 10, tokens: 2_000 })
  })

  it('A13: a topic, a request or a schedule starts it', () => {
    const triggers = `triggers:
  - { topic: tickets, key: =event.id, when: event.kind == "new", input: { text: =event.text } }
  - { http: POST /tickets }
  - { schedule: "0 6 * * 1-5", zone: Europe/Berlin }
  - { every: 1h }
`
    expect(planOf(`${triggers}${STEPS}`).triggers).toEqual([
      {
        kind: 'topic',
        topic: 'tickets',
        key: 'event.id',
        when: 'event.kind == "new"',
        input: { object: { text: { cel: 'event.text' } } },
      },
      { kind: 'http', method: 'POST', path: '/tickets' },
      { kind: 'schedule', zone: 'Europe/Berlin', cron: '0 6 * * 1-5' },
      { kind: 'schedule', zone: 'UTC', everyMs: 3_600_000 },
    ])
  })

  it('a reached limit is an outcome', () => {
    const plan = planOf(`onLimit: { human: support, then: end }\n${STEPS}`)
    expect(plan.onLimit).toEqual({ then: 'run', block: 1, after: 'end' })
    expect(plan.blocks[1]?.map((id) => plan.nodes[id]?.kind)).toEqual(['human'])
  })

  it.each([
    [
      'triggers: [{ schedule: "0 25 * * *" }]',
      '1:24 trigger.invalid the schedule "0 25 * * *" has no hour "25"; it goes from 0 to 23 | "0 6 * * 1-5" is at 6:00 from Monday to Friday',
    ],
    ['triggers: [{ schedule: "0 6 * * *", zone: Berlin }]', '1:43 trigger.invalid there is no time zone "Berlin" | zone: Europe/Berlin'],
    ['triggers: [{ http: FETCH /x }]', '1:20 trigger.invalid http is GET, POST or PUT and a path, not "FETCH /x" | http: POST /tickets'],
    ['triggers: [{ topic: a, every: 1h }]', '1:24 trigger.invalid a trigger is one thing, not topic and every | { topic: tickets }'],
    ['triggers: [{ every: 1h, zone: UTC }]', '1:25 flow.unknown_key "zone" means nothing beside every'],
    [
      'triggers: [{ topic: t, input: { a: =input.x } }]',
      '1:37 reference.unknown a trigger comes before the run and has no "input"; what arrived is called "event" | event',
    ],
    [
      'onLimit: { retry: { attempts: 2 } }',
      '1:10 flow.wrong_type the flow itself has nothing to retry; retry belongs in the onError of a step',
    ],
    [
      'buffers: { "a b": {} }',
      '1:12 name.invalid the buffer name "a b" must be a word of letters, digits and _, so that expressions can use it | a_b',
    ],
  ])('%s', (top, mistake) => {
    expect(mistakesIn(`${top}\n${STEPS}`)).toEqual([mistake])
  })
})
