import { describe, expect, it } from '@jest/globals'
import { chain, compileData } from '@baton/flow'
import { run, type Prompt } from './run.ts'

const CHAIN = chain({ facts: 'Extract the facts from {{ input.text }}', summary: 'Summarise {{ facts }}' })
const echo = ({ prompt }: Prompt): Promise<string> => Promise.resolve(`<${prompt}>`)

describe('run (A1)', () => {
  it('runs a chain of prompts in memory; the last answer is the output', async () => {
    const result = await run(CHAIN, { text: 'two cats' }, { models: echo })
    expect(result).toMatchObject({ status: 'completed', output: '<Summarise <Extract the facts from two cats>>', metrics: { steps: 2 } })
  })

  it('N1: fails without a provider, and says what to set', async () => {
    const result = await run(CHAIN, { text: 'x' }, { env: {} })
    expect(result).toMatchObject({ status: 'failed', fault: { code: 'model.none_configured' } })
    expect(result.fault?.message).toContain('OPENAI_BASE_URL')
  })

  it('N2: refuses a flow with mistakes before anything is asked', async () => {
    const asked: string[] = []
    const flow = chain({ summary: 'Summarise {{ facts }}' })
    const models = (prompt: Prompt): Promise<string> => echo(prompt).finally(() => asked.push(prompt.prompt))
    await expect(run(flow, {}, { models })).rejects.toMatchObject({ code: 'flow.invalid' })
    expect(asked).toEqual([])
  })

  it('refuses an input that does not fit and fills in defaults', async () => {
    const flow = { input: { text: 'string', tone: { type: 'string', default: 'dry' } }, steps: [{ said: { set: '=input.tone' } }] }
    await expect(run(flow, { tone: 'warm' })).rejects.toMatchObject({ code: 'input.invalid' })
    expect(await run(flow, { text: 'x' })).toMatchObject({ status: 'completed', output: 'dry' })
  })

  it('shows a model the parts of its context, in their slots or behind the prompt (S5)', async () => {
    const context = {
      parts: [
        { name: 'docs', from: '=input.docs' },
        { name: 'rules', from: '=input.rules' },
        { name: 'talk', from: 'history' },
      ],
    }
    const steps = [{ told: { prompt: 'Use {{ docs }} after {{ talk }}.', with: { text: '=input.text' }, context } }]
    const result = await run(
      { steps },
      { text: 'When?', docs: [{ title: 'Cards', text: 'Freeze it.' }], rules: 'Be kind.' },
      { models: echo },
    )
    expect(result.output).toMatch(/^<Use \[1\] Cards\nFreeze it\.\n after \(none\)\.[\s\S]*<rules>\nBe kind\.\n<\/rules>>$/)
  })

  it('D5: guards of a step are checks by name: what one changes goes on, what one refuses does not', async () => {
    const steps = [{ told: { tool: 'say', with: { text: '=input.text' }, guard: [{ pii: { on: 'input' } }, { tone: { on: 'output' } }] } }]
    const tools = { say: (said: unknown) => ({ said }) as never }
    const pii = () => ({ ok: true, value: { text: '[name]' } })
    const clean = await run({ steps }, { text: 'Ann' }, { tools, checks: { pii, tone: () => ({ ok: true }) } })
    expect(clean.output).toEqual({ said: { text: '[name]' } })
    const blocked = await run({ steps }, { text: 'Ann' }, { tools, checks: { pii, tone: () => ({ ok: false, reason: 'rude' }) } })
    expect(blocked).toMatchObject({ status: 'failed', fault: { code: 'guard.blocked' } })
    const missing = await run({ steps }, { text: 'Ann' }, { tools })
    expect(missing.fault?.message).toContain("checks: { 'pii': … }")
  })

  it('calls tools, checks, indexes, tasks and people by name', async () => {
    const flow = {
      steps: [
        { docs: { retrieve: 'help', with: { query: 'cats', top: 2 } } },
        { looked: { tool: 'desk/look', with: { items: '=docs.items' } } },
        { checked: { check: 'tone', with: { text: '=looked.text' } } },
        { done: { task: 'print', with: { text: '=looked.text' } } },
        { signed: { human: 'desk', with: { text: '=done.text' } } },
      ],
      output: { docs: '=docs.items', ok: '=checked.ok', text: '=signed.text', by: '=signed.by' },
    }
    const result = await run(
      flow,
      {},
      {
        indexes: { help: () => ({ items: ['a', 'b'] }) },
        tools: { 'desk/look': () => ({ text: 'seen' }) },
        checks: { tone: () => ({ ok: true }) },
        tasks: { print: () => ({ text: 'printed' }) },
        people: { desk: () => ({ text: 'signed' }) },
      },
    )
    expect(result).toMatchObject({ status: 'completed', output: { docs: ['a', 'b'], ok: true, text: 'signed', by: 'human:desk' } })
  })

  it('says which function is missing', async () => {
    const result = await run({ steps: [{ looked: { tool: 'desk/look' } }] }, {}, { tools: {} })
    expect(result).toMatchObject({
      status: 'failed',
      fault: { code: 'tool.unknown', message: expect.stringContaining("tools: { 'desk/look': … }") },
    })
  })

  it('tries again as the step says, and fails over in order', async () => {
    const asked: string[] = []
    const flow = {
      steps: [{ a: { model: ['one', 'two'], prompt: 'x', retry: { attempts: 2, delay: '1ms', backoff: 'fixed', jitter: false } } }],
    }
    const models = {
      one: () => Promise.reject(new Error(`no ${asked.push('one')}`)),
      two: () => (asked.push('two') < 4 ? Promise.reject(new Error('no')) : Promise.resolve('yes')),
    }
    expect(await run(flow, {}, { models })).toMatchObject({ status: 'completed', output: 'yes' })
    expect(asked).toEqual(['one', 'two', 'one', 'two'])
  })

  it('asks again, with what was wrong, for an answer that does not fit', async () => {
    const told: (string | undefined)[] = []
    const flow = { steps: [{ a: { prompt: 'x', returns: { intent: 'refund | other' } } }] }
    const models = ({ feedback }: Prompt): Promise<string> =>
      Promise.resolve(told.push(feedback) === 1 ? '{"intent":"refnd"}' : '{"intent":"refund"}')
    expect(await run(flow, {}, { models })).toMatchObject({ status: 'completed', output: { intent: 'refund' } })
    expect(told).toEqual([undefined, expect.stringContaining('/intent')])
  })

  it('takes params within their range only', async () => {
    const flow = { params: { least: { type: 'number', default: 1, min: 0, max: 2 } }, steps: [{ a: { set: '=params.least' } }] }
    expect(await run(flow, {}, { params: { least: 2 } })).toMatchObject({ output: 2 })
    await expect(run(flow, {}, { params: { least: 3 } })).rejects.toMatchObject({ code: 'params.invalid' })
  })

  it('M2: ends when the caller aborts, whatever is still open', async () => {
    const controller = new AbortController()
    const models = (): Promise<string> => new Promise(() => controller.abort())
    expect(await run(CHAIN, { text: 'x' }, { models, signal: controller.signal })).toMatchObject({ status: 'cancelled' })
  })

  it('M1: keeps to the limits of the flow: a run without an answer fails in time', async () => {
    const flow = { limits: { time: '50ms' }, ...CHAIN }
    expect(await run(flow, { text: 'x' }, { models: () => new Promise(() => undefined) })).toMatchObject({
      status: 'failed',
      fault: { code: 'limit.time_exceeded' },
    })
  })

  it('runs the same plan as a file of the same words', () => {
    const compiled = compileData(CHAIN)
    expect(compiled).toMatchObject({ ok: true, plan: { flow: 'local/flow' } })
  })
})
