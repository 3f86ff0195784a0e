import { describe, expect, it } from '@jest/globals'
import { flowTest } from './flow-test.ts'

const SUPPORT = `
flow: test/support@1.0.0
limits: { time: 1h, total: 30d, cost: 1 USD }
params: { sure: { type: number, default: 0.8, min: 0, max: 1 } }
input: { text: string }
steps:
  - classify:
      model: [large, small]
      prompt: 'What is this about? {{ text }}'
      with: { text: =input.text }
      returns: { intent: refund | other, confidence: 0..1 }
      timeout: 5s
      retry: { attempts: 2, backoff: fixed }
      gate:
        - { when: it.confidence >= params.sure, then: next }
        - else:
            human: { queue: support, priority: high, sla: 3d, title: What is it about? }
            with: { text: =input.text, draft: =it }
            returns: { intent: refund | other, confidence: 0..1 }
  - status: { tool: billing/status, with: { text: =input.text }, onError: { set: { state: unknown }, then: next } }
output: { intent: =classify.intent, by: =classify.by, state: =status.state }
`
const sure = { intent: 'refund', confidence: 0.9 }
const unsure = { intent: 'other', confidence: 0.2 }
const support = () => flowTest({ files: { 'flow.yaml': SUPPORT }, answers: { status: { state: 'paid' } } })
const input = { text: 'Where is my money?' }

describe('a flow in a test', () => {
  it('D5: guards let pass what no script stops', async () => {
    const flow = `input: { text: string }\nsteps:\n  - a: { tool: x, with: { text: =input.text }, guard: [{ pii: { on: input } }, { tone: { on: output } }] }\n`
    const test = flowTest({ files: { 'flow.yaml': flow }, tools: { x: 'said' } })
    expect(await test.run(input)).toMatchObject({ status: 'completed', output: 'said' })
    expect(await test.run(input, { checks: { tone: { gives: { ok: false } } } })).toMatchObject({ fault: { code: 'guard.blocked' } })
    const redacted = await test.run(input, { checks: { pii: { gives: { value: { text: '[name]' } } } } })
    expect(redacted.asked.find(({ name }) => name === 'x')?.input).toEqual({ text: '[name]' })
    expect(redacted.path).toEqual(['a/guard[input]', 'a: guard of the input: redact', 'a', 'a/guard[output]'])
  })

  it('S5: a model sees the parts of its context, and a gate what did not fit', async () => {
    const flow = `
input: { text: string }
steps:
  - a:
      prompt: 'Answer from {{ docs }}'
      with: { q: =input.text }
      context: { parts: [{ name: docs, from: =input.text }] }
      returns: { text: string }
      gate: [{ when: it.leftOut.size() > 0, then: fail }, { else: next }]
`
    const test = flowTest({ files: { 'flow.yaml': flow } })
    const whole = await test.run(input, { answers: { a: { text: 'Soon.' } } })
    expect(whole).toMatchObject({ status: 'completed', asked: [{ prompt: 'Answer from Where is my money?' }] })
    const cut = await test.run(input, { answers: { a: { gives: { text: 'Soon.' }, leftOut: [{ part: 'docs' }] } } })
    expect(cut).toMatchObject({ status: 'failed', path: ['a', 'a: it.leftOut.size() > 0'] })
  })

  it('says the way it took, what was asked, and what it cost', async () => {
    const run = await support().run(input, { answers: { classify: { gives: sure, cost: 0.002, tokens: 120 } } })
    expect(run).toMatchObject({
      status: 'completed',
      output: { intent: 'refund', by: 'model:large', state: 'paid' },
      costUsd: 0.002,
      steps: 2,
    })
    expect(run.path).toEqual(['classify', 'classify: it.confidence >= params.sure', 'status'])
    expect(run.asked.map(({ step, name, prompt }) => [step, name, prompt])).toEqual([
      ['classify', 'large', 'What is this about? Where is my money?'],
      ['status', 'billing/status', undefined],
    ])
  })

  it('F1: the same test gives the same run', async () => {
    const scripted = { answers: { classify: unsure }, people: { support: { decides: 'approve', after: '2h' } as const } }
    const [first, second] = [await support().run(input, scripted), await support().run(input, scripted)]
    expect(JSON.stringify(first)).toBe(JSON.stringify(second))
  })

  it('a person decides days later, and the days take no time', async () => {
    const startedMs = performance.now()
    const run = await support().run(input, {
      answers: { classify: unsure },
      people: { support: { decides: 'edit', output: sure, after: '2d', by: 'ada' } },
    })
    expect(run.durationMs).toBe(2 * 86_400_000)
    expect(performance.now() - startedMs).toBeLessThan(5_000)
    expect(run.people).toMatchObject([{ step: 'classify/gate[1]', queue: 'support', priority: 'high', became: 'edited' }])
    expect(run.output).toMatchObject({ intent: 'refund', by: 'human:ada' })
  })

  it('W2: silence is an expiry', async () => {
    const run = await support().run(input, { answers: { classify: unsure }, people: { support: 'never' } })
    expect(run).toMatchObject({ status: 'failed', fault: { code: 'review.expired' }, people: [{ became: 'expired' }] })
    expect(run.durationMs).toBe(3 * 86_400_000)
  })

  it('W2: what takes longer than its time is a timeout, and the next model is asked', async () => {
    const run = await support().run(input, { models: { large: { takes: '10s', gives: sure }, small: sure } })
    expect(run.asked.map(({ name }) => name)).toEqual(['large', 'small', 'billing/status'])
    expect(run.output).toMatchObject({ by: 'model:small' })
    expect(run.durationMs).toBe(5_000)
  })

  it('fails several times, then gives', async () => {
    const run = await support().run(input, { answers: { classify: { fails: 'model.unavailable', times: 2, gives: sure } } })
    expect(run.asked.filter(({ step }) => step === 'classify').map(({ name, tries }) => [name, tries])).toEqual([
      ['large', 1],
      ['small', 2],
      ['large', 3],
    ])
    expect(run.status).toBe('completed')
  })

  it('a tool that fails goes the way of its handler', async () => {
    const run = await support().run(input, { answers: { classify: sure, status: { fails: 'tool.failed' } } })
    expect(run).toMatchObject({ output: { state: 'unknown' }, degraded: ['tool.failed'] })
    expect(run.path).toContain('status: tool.failed')
  })

  it('functions see what they are asked', async () => {
    const run = await support().run(input, {
      answers: {
        classify: ({ prompt, before }) => ({ intent: prompt?.includes('money') === true ? 'refund' : 'other', confidence: before + 1 }),
      },
    })
    expect(run.output).toMatchObject({ intent: 'refund' })
  })

  it('S1: the name of the step comes before that of the tool', async () => {
    const run = await support().run(input, { answers: { classify: sure }, tools: { 'billing/status': { state: 'from the tool' } } })
    expect(run.output).toMatchObject({ state: 'paid' })
  })

  it('S2: what nobody scripted breaks the test, and says what to write', async () => {
    await expect(support().run(input)).rejects.toThrow(
      'classify asks the model large, and the test does not say what comes back. Write it under answers: { classify: <what it gives> }',
    )
    await expect(support().run(input, { answers: { classify: unsure } })).rejects.toThrow(
      'asks people of the queue support, and the test does not say what comes back. Write it under people: { support: { decides: approve } }',
    )
  })

  it('S3: a script for what the flow does not have breaks the test', async () => {
    await expect(support().run(input, { answers: { clasify: sure } })).rejects.toThrow(
      'The test has an answer for clasify, and the flow has nothing of that name; did you mean "classify"?',
    )
  })

  it('W1: what does not fit what the step returns breaks the test', async () => {
    await expect(support().run(input, { answers: { classify: { intent: 'refnd', confidence: 1 } } })).rejects.toThrow(
      'What the test gives for classify does not fit what the step returns: intent must be equal to one of the allowed values: refund, other',
    )
  })

  it('A1: an output that looks like a script stands in gives', async () => {
    const test = flowTest({ flow: { steps: [{ a: { tool: 'x/y' } }] }, answers: { a: { gives: { fails: 'it does', times: 3 } } } })
    expect((await test.run()).output).toEqual({ fails: 'it does', times: 3 })
  })

  it('a list that is too short says so', async () => {
    await expect(support().run(input, { answers: { classify: [{ fails: 'model.unavailable' }] } })).rejects.toThrow(
      'The script for classify has 1 answer, and classify asks once more (small)',
    )
  })

  it('a flow with mistakes is refused with their places', () => {
    expect(() => flowTest({ files: { 'flow.yaml': 'steps: [{ a: { tol: x/y } }]' } })).toThrow('flow.yaml:1:')
  })

  it('a run can be cancelled from outside at a time', async () => {
    const run = await support().run(input, {
      answers: { classify: unsure },
      people: { support: { decides: 'approve', after: '2d' } },
      events: [{ at: '1d', do: 'cancel', reason: 'not needed any more' }],
    })
    expect(run).toMatchObject({ status: 'cancelled', durationMs: 86_400_000, people: [{ became: 'withdrawn' }] })
  })
})
