// Steps that are made of others, in tests: their paths, their parts, and what happens when one of them fails.
import { describe, expect, it } from '@jest/globals'
import { coverageOf } from './ways/coverage.ts'
import { expectRun } from './expect.ts'
import { flowTest } from './flow-test.ts'

const DAY_MS = 86_400_000
const of = (steps: string, more = '') =>
  flowTest({ files: { 'flow.yaml': `flow: test/composed@1.0.0\nlimits: { time: 1h, total: 30d, steps: 200 }\n${more}\nsteps:\n${steps}` } })

describe('composed steps in a test', () => {
  it('branches run side by side, and the slowest decides how long it takes', async () => {
    const test = of(`
  - signals:
      parallel:
        risk: { tool: check/risk, timeout: 1m }
        name: { tool: check/name, timeout: 1m }
`)
    const run = await test.run({}, { tools: { 'check/risk': { takes: '20s', gives: 1 }, 'check/name': { takes: '30s', gives: 2 } } })
    expectRun(run, { status: 'completed', output: { risk: 1, name: 2 }, path: ['signals/risk', 'signals/name'], duration: '30s' })
    expect(coverageOf(test.plan, test.runs)).toMatchObject({ taken: 2, total: 2 })
  })

  it('a branch that fails is what its step says', async () => {
    const test = of(`
  - signals:
      parallel: { risk: { tool: check/risk }, name: { tool: check/name } }
      onFailure: 'null'
`)
    const run = await test.run({}, { tools: { 'check/risk': { fails: 'tool.failed' }, 'check/name': 2 } })
    expectRun(run, { status: 'completed', output: { risk: null, name: 2 } })
  })

  it('a person whom nobody waits for any more is let go', async () => {
    const run = await of(`
  - first:
      parallel: { tool: { tool: check/name, timeout: 1m }, person: { human: { queue: desk, sla: 2d } } }
      join: first
`).run({}, { tools: { 'check/name': { takes: '30s', gives: 2 } }, people: { desk: { decides: 'respond', output: 1, after: '1d' } } })
    expectRun(run, { status: 'completed', duration: '30s' })
    expect(run.people).toMatchObject([{ queue: 'desk', became: 'withdrawn', untilMs: Date.parse('2026-01-05T09:00:30Z') }])
  })

  it('items of a map are scripted one by one, or by what they are given', async () => {
    const steps = `
  - found:
      map: =input.words
      as: word
      max: 10
      each: { tool: look/up, with: { word: =word } }
`
    const one = await of(steps, 'input: { words: "string[]" }').run(
      { words: ['a', 'b'] },
      { answers: { 'found[0]': 'first', 'look/up': 'other' } },
    )
    expectRun(one, { output: ['first', 'other'] })
    const two = await of(steps, 'input: { words: "string[]" }').run(
      { words: ['a', 'b'] },
      { tools: { 'look/up': ({ input }) => JSON.stringify(input) } },
    )
    expectRun(two, { output: ['{"word":"a"}', '{"word":"b"}'] })
  })

  it('a loop ends when it is good, or at its cap', async () => {
    const steps = `
  - edited:
      loop: { until: it.good, max: 3 }
      do:
        - text: { tool: edit/text, returns: { good: boolean } }
      onLimit: { human: { queue: editors, sla: 2d }, returns: { good: boolean } }
`
    const test = of(steps)
    const good = await test.run({}, { tools: { 'edit/text': [{ gives: { good: false } }, { gives: { good: true } }] } })
    expectRun(good, { output: { good: true }, path: ['edited[0]/text', 'edited[1]/text', 'edited'], people: [] })
    const never = await test.run(
      {},
      { tools: { 'edit/text': { good: false } }, people: { editors: { decides: 'respond', output: { good: true }, after: '1d' } } },
    )
    expectRun(never, { people: ['editors'], duration: '1d' })
    expect(coverageOf(test.plan, test.runs)).toMatchObject({ taken: 3, total: 3 })
  })

  it('waits of three days take no time', async () => {
    const run = await of(`
  - cool: { wait: 3d }
  - sent: { tool: mail/send }
`).run({}, { tools: { 'mail/send': 'ok' } })
    expectRun(run, { output: 'ok', duration: '3d' })
    expect(run.asked[0]?.atMs).toBe(Date.parse('2026-01-05T09:00:00Z') + 3 * DAY_MS)
  })

  it('an event comes when the test says, or never', async () => {
    const steps = `
  - paid:
      wait: { event: payment.received }
      timeout: 5d
      onTimeout: { set: { amount: 0 }, then: next }
      returns: { amount: number }
`
    const come = await of(steps).run({}, { events: [{ at: '2d', event: 'payment.received', data: { amount: 7 } }] })
    expectRun(come, { output: { amount: 7 }, duration: '2d' })
    const never = await of(steps).run()
    expectRun(never, { output: { amount: 0 }, duration: '5d' })
  })

  it('what a flow sends into the world is seen', async () => {
    const run = await of(`
  - told: { emit: orders.opened, with: { id: 7 } }
`).run()
    expectRun(run, { status: 'completed', emitted: ['orders.opened'] })
    expect(run.emitted[0]).toMatchObject({ data: { id: 7 } })
  })

  it('effects are taken back when the run fails later', async () => {
    const test = of(`
  - number: { tool: numbers/take, effect: write, undo: { tool: numbers/give_back, with: { id: =it.id } }, returns: { id: integer } }
  - account: { tool: accounts/open, effect: write }
`)
    const tools = { 'numbers/take': { id: 5 }, 'numbers/give_back': 'ok', 'accounts/open': 'ok' }
    await test.run({}, { tools })
    expect(coverageOf(test.plan, test.runs)).toMatchObject({ taken: 0, total: 1 })
    const failed = await test.run({}, { tools: { ...tools, 'accounts/open': { fails: 'tool.arguments_invalid' } } })
    expectRun(failed, { status: 'failed', asked: ['numbers/give_back'] })
    expect(failed.asked.at(-1)).toMatchObject({ name: 'numbers/give_back', input: { id: 5 } })
    expect(coverageOf(test.plan, test.runs)).toMatchObject({ taken: 1, total: 1 })
  })

  it('a flow that a step starts runs too, or is scripted by its name', async () => {
    const steps = `
  - refund: { flow: pay/refund@1.0.0, with: { amount: 5 } }
`
    const child = `flow: pay/refund@1.0.0\ninput: { amount: number }\nsteps:\n  - paid: { tool: pay/out, with: { amount: =input.amount }, effect: write }\n`
    const whole = flowTest({
      files: { 'flow.yaml': `flow: test/a@1.0.0\nsteps:${steps}` },
      flows: { 'pay/refund': { files: { 'flow.yaml': child } } },
    })
    expectRun(await whole.run({}, { tools: { 'pay/out': 'paid 5' } }), { output: 'paid 5', asked: ['pay/out'] })
    const alone = flowTest({ files: { 'flow.yaml': `flow: test/a@1.0.0\nsteps:${steps}` } })
    expectRun(await alone.run({}, { answers: { refund: 'as if' } }), { output: 'as if' })
    await expect(alone.run()).rejects.toThrow("Write it under answers: { 'pay/refund': <what it gives> }")
  })

  it('turns of an agent are scripted one by one, its tools by their names', async () => {
    const test = of(
      `
  - clerk: { agent: clerk, with: { text: hello }, returns: { text: string } }
`,
      `agents:
  clerk: { about: Answers, model: small, prompt: 'Answer {{ text }}', tools: [desk/find], limits: { turns: 4, calls: 4, tokens: 10k, time: 1m }, returns: { text: string } }`,
    )
    const run = await test.run(
      {},
      {
        agents: { clerk: [{ calls: [{ tool: 'desk/find', arguments: { q: 'x' } }] }, { gives: { text: 'found' } }] },
        tools: { 'desk/find': { rows: 1 } },
      },
    )
    expectRun(run, { status: 'completed', output: { text: 'found' }, asked: ['clerk', 'desk/find'] })
    expect(run.asked.map(({ path }) => path)).toEqual(['clerk/turn[1]', 'clerk/turn[1]/call[0]', 'clerk/turn[2]'])
    expect(run.asked[2]?.turn).toMatchObject({ number: 2, results: [{ tool: 'desk/find', output: { rows: 1 } }] })
  })

  it('a run rests while it is paused', async () => {
    const run = await of(`
  - cool: { wait: 1d }
  - sent: { tool: mail/send }
`).run(
      {},
      {
        tools: { 'mail/send': 'ok' },
        events: [
          { at: '12h', do: 'pause' },
          { at: '3d', do: 'resume' },
        ],
      },
    )
    expectRun(run, { output: 'ok', duration: '3d' })
  })

  it('a run that is paused for ever ends at its limit', async () => {
    const test = of(`
  - cool: { wait: 1d }
  - sent: { tool: mail/send }
`)
    const run = await test.run({}, { tools: { 'mail/send': 'ok' }, events: [{ at: '12h', do: 'pause' }] })
    expectRun(run, { status: 'failed', fault: 'limit.total_exceeded', duration: '30d' })
  })
})
