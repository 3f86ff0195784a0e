import { setTimeout as pause } from 'node:timers/promises'
import { describe, expect, it } from '@jest/globals'
import type { StepCommand } from '@baton/contracts'
import { Fault, type FaultCode } from '@baton/contracts/fault'
import type { Answer, Model, Question } from '../model.ts'
import { readOutput } from '../output/structured-output.ts'
import type { PlanStep, RoutePlan } from '../routes/route-plan.ts'
import { attemptsOver } from './attempts.fixture.ts'
import type { Dispatch } from './dispatch.ts'

type Act = string | ((question: Question) => Promise<Answer>)
const USAGE = { costMicroUsd: 100, inputTokens: 10, outputTokens: 5 }
const isCode = (act: string): act is FaultCode => act.startsWith('model.')

/** A model that does one act a call, the last one again and again. */
const modelOf = (name: string, acts: readonly Act[], price = 1): Model & { readonly asked: Question[] } => {
  const asked: Question[] = []
  return {
    name,
    provider: 'openai',
    local: false,
    asked,
    about: {
      name,
      local: false,
      capabilities: { tools: true, jsonSchema: true, vision: false, audio: false },
      dataClasses: [],
      price: { input: price, output: price },
      outputTokensMax: 100,
      server: `server of ${name}`,
      model: name,
      limits: {},
      serverLimits: {},
      sampling: {},
    },
    invoke: async (question) => {
      const act = acts[Math.min(asked.length, acts.length - 1)] ?? 'nothing'
      asked.push(question)
      if (typeof act === 'function') return act(question)
      if (isCode(act)) throw new Fault(act, `${name} failed`)
      return { text: act, usage: USAGE }
    },
  }
}
const hang = (question: Question): Promise<Answer> =>
  new Promise((_resolve, reject) => question.signal.addEventListener('abort', () => reject(new Error('aborted'))))
const after =
  (delayMs: number, text: string) =>
  async ({ signal }: Question): Promise<Answer> => {
    await pause(delayMs, undefined, { signal })
    return { text, usage: USAGE }
  }

const planOf = (steps: readonly PlanStep[]) => ({
  resolve: () => steps.map(({ model }) => model),
  plan: (): RoutePlan => ({ route: 'ask', policy: 'fallback', steps, candidates: steps.map(({ model }) => ({ model: model.name })) }),
})
const fallbacks = (...models: readonly Model[]): ReturnType<typeof planOf> =>
  planOf(models.map((model, at) => ({ model, role: at === 0 ? 'primary' : 'fallback', stage: 0 })))

let commands = 0
const dispatchOf = (more: Partial<Dispatch> = {}): Dispatch => ({
  // The attempts read only these fields of a command.
  command: {
    runId: 'r',
    attemptId: `a${++commands}`,
    tenant: 't',
    flow: 'a/b',
    nodeId: 'ask',
    path: 'ask',
    priority: 'normal',
    deadlineMs: Date.now() + 60_000,
  } as StepCommand,
  step: 'ask',
  names: ['ask'],
  question: { prompt: 'Where is my card?', input: null },
  read: (answer) => readOutput(answer, undefined),
  spec: { attempts: 1, backoff: 'fixed', delayMs: 1, maxDelayMs: 1, jitter: false, timeoutMs: 2_000, waitMaxMs: 0 },
  signal: new AbortController().signal,
  delivery: 1,
  harmless: true,
  ...more,
})

describe('dispatches', () => {
  it('D1: a command that comes again while it is done joins it', async () => {
    const model = modelOf('one', [after(20, 'hello')])
    const { attempts } = attemptsOver(fallbacks(model))
    const dispatch = dispatchOf()
    const [first, second] = await Promise.all([attempts.ask(dispatch), attempts.ask(dispatch)])
    expect(model.asked).toHaveLength(1)
    expect(first).toBe(second)
  })
  it('S4: a route with a calibration answers with the confidence outcomes bear out, the raw one beside it', async () => {
    const steps: readonly PlanStep[] = [{ model: modelOf('one', ['{"intent":"fee","confidence":0.9}']), role: 'primary', stage: 0 }]
    const plan = (): RoutePlan => ({
      ...planOf(steps).plan(),
      calibratorOf: () => ({ kind: 'isotonic', scores: [0.5, 0.9], shares: [0.2, 0.6] }),
    })
    const { attempts } = attemptsOver({ ...planOf(steps), plan })
    const schema = { type: 'object', properties: { intent: { type: 'string' }, confidence: { type: 'number' } } }
    expect(await attempts.ask(dispatchOf({ read: (answer) => readOutput(answer, schema) }))).toMatchObject({
      output: { value: { intent: 'fee', confidence: 0.6 }, confidence: 0.6, rawConfidence: 0.9 },
    })
  })
  it('B17: tells why which model, and every call', async () => {
    const { attempts, seen } = attemptsOver(fallbacks(modelOf('one', ['model.overloaded']), modelOf('two', ['hello'])))
    await attempts.ask(dispatchOf())
    expect(seen.routed).toMatchObject([
      {
        chosen: 'two',
        plan: { route: 'ask', candidates: [{ model: 'one' }, { model: 'two' }] },
        calls: [
          { model: 'one', outcome: 'model.overloaded', costMicroUsd: 0 },
          { model: 'two', outcome: 'answered', costMicroUsd: 100 },
        ],
      },
    ])
  })
  it('B6: a model that failed five times is passed over, and others are told', async () => {
    const one = modelOf('one', ['model.unavailable'])
    const { attempts, seen } = attemptsOver(fallbacks(one, modelOf('two', ['hello'])))
    for (let count = 0; count < 8; count++) expect(await attempts.ask(dispatchOf())).toMatchObject({ model: { name: 'two' } })
    expect(one.asked).toHaveLength(5)
    expect(seen.told).toMatchObject([{ key: 'one', code: 'model.unavailable' }, { key: 'server:server of one' }])
  })
  it('B6: what another replica saw fail is left alone here too', async () => {
    const one = modelOf('one', ['hello'])
    const { attempts, seen } = attemptsOver(fallbacks(one, modelOf('two', ['hello'])))
    seen.conditions.rest('one', 60_000)
    expect(await attempts.ask(dispatchOf())).toMatchObject({ model: { name: 'two' } })
  })
  it('D2, I4: what nothing can serve is put off until the breaker may close, each to a time of its own', async () => {
    const { attempts } = attemptsOver(fallbacks(modelOf('one', ['model.unavailable'])))
    const seen = []
    for (let count = 0; count < 7; count++) seen.push(await attempts.ask(dispatchOf()))
    expect(seen.slice(0, 4).every((given) => !('deferMs' in given))).toBe(true)
    const waits = seen.slice(4).map((given) => ('deferMs' in given ? given.deferMs : undefined))
    expect(waits.every((waitMs) => waitMs !== undefined && waitMs > 1_500)).toBe(true)
    expect(new Set(waits).size).toBe(3)
  })
  it('B5: a model that does not take the key is passed over after a few calls', async () => {
    const one = modelOf('one', ['model.unauthorized'])
    const { attempts } = attemptsOver(fallbacks(one, modelOf('two', ['hello'])))
    for (let count = 0; count < 8; count++) expect(await attempts.ask(dispatchOf())).toMatchObject({ model: { name: 'two' } })
    expect(one.asked).toHaveLength(5)
  })
  it('B5: content that is refused is nobody else to be asked about', async () => {
    const two = modelOf('two', ['hello'])
    const { attempts } = attemptsOver(fallbacks(modelOf('one', ['model.content_refused']), two))
    expect(await attempts.ask(dispatchOf())).toMatchObject({ fault: { code: 'model.content_refused' } })
    expect(two.asked).toHaveLength(0)
  })
  it('W2, D3: a shadow is asked beside and told, and never answers', async () => {
    const steps: readonly PlanStep[] = [
      { model: modelOf('one', ['hello']), role: 'primary', stage: 0 },
      { model: modelOf('dark', ['other']), role: 'shadow', stage: 0 },
    ]
    const { attempts, seen } = attemptsOver(planOf(steps))
    expect(await attempts.ask(dispatchOf())).toMatchObject({ output: { value: 'hello' }, usage: { costMicroUsd: 100 } })
    await pause(5)
    expect(seen.routed[0]?.calls).toMatchObject([{ model: 'one' }, { model: 'dark', shadow: true }])
  })
})

describe('cascades', () => {
  const steps = (cheap: Model): readonly PlanStep[] => [
    { model: cheap, role: 'cascade', stage: 0, accept: ({ value }) => ({ ok: value === 'sure', why: 'it says so' }) },
    { model: modelOf('strong', ['strong answer']), role: 'primary', stage: 1 },
  ]
  it('V3: an answer that is not good enough is paid, and the next stage is asked', async () => {
    const { attempts } = attemptsOver(planOf(steps(modelOf('cheap', ['hm']))))
    expect(await attempts.ask(dispatchOf())).toMatchObject({
      output: { value: 'strong answer' },
      escalated: true,
      failedOver: [],
      usage: { costMicroUsd: 200 },
    })
  })
  it('V3: one that is good enough is the answer', async () => {
    const { attempts } = attemptsOver(planOf(steps(modelOf('cheap', ['sure']))))
    expect(await attempts.ask(dispatchOf())).toMatchObject({ output: { value: 'sure' }, model: { name: 'cheap' } })
  })
})

describe('hedging (B7)', () => {
  it('X1, X3, I3: the second call answers, the first is given up, both are paid', async () => {
    const one = modelOf('one', [hang, 'hello'])
    const { attempts, seen } = attemptsOver(fallbacks(one))
    const asked = await attempts.ask(dispatchOf({ hedge: { afterMs: 10, max: 1 } }))
    expect(asked).toMatchObject({ output: { value: 'hello' }, failedOver: [] })
    expect(one.asked[0]?.signal.aborted).toBe(true)
    expect(seen.routed[0]?.calls).toMatchObject([
      { outcome: 'answered', hedge: true },
      { outcome: 'cancelled', costMicroUsd: expect.any(Number) },
    ])
    expect(asked.usage.costMicroUsd).toBeGreaterThan(100)
  })
  it('is not done where asking twice could change something', async () => {
    const one = modelOf('one', [after(30, 'hello')])
    const { attempts } = attemptsOver(fallbacks(one))
    await attempts.ask(dispatchOf({ hedge: { afterMs: 5, max: 1 }, harmless: false }))
    expect(one.asked).toHaveLength(1)
  })
})

describe('times of a call (B4)', () => {
  const limited = (acts: readonly Act[], limits: { firstTokenMs?: number; idleMs?: number }): Model => {
    const model = modelOf('one', acts)
    return { ...model, ...(model.about === undefined ? {} : { about: { ...model.about, limits } }) }
  }
  it('Y1: who does not begin in time is passed over', async () => {
    const { attempts } = attemptsOver(fallbacks(limited([hang], { firstTokenMs: 20 }), modelOf('two', ['hello'])))
    expect(await attempts.ask(dispatchOf())).toMatchObject({ output: { value: 'hello' }, failedOver: ['one: model.timed_out'] })
  })
  it('Y1, Y2: who stops in the middle is passed over, and what it wrote is void', async () => {
    const stalls = (question: Question): Promise<Answer> => {
      question.onPiece?.({ text: 'Your c' })
      return hang(question)
    }
    const { attempts } = attemptsOver(fallbacks(limited([stalls], { idleMs: 20 }), modelOf('two', ['hello'])))
    const told: string[] = []
    const stream = {
      piece: (call: number, text: string) => void told.push(`${call}: ${text}`),
      end: (call: number, how: string) => void told.push(`${call} ${how}`),
    }
    expect(await attempts.ask(dispatchOf({ stream }))).toMatchObject({ output: { value: 'hello' }, failedOver: ['one: model.stalled'] })
    expect(told).toEqual(['1: Your c', '1 broken'])
  })
})

describe('money (B9)', () => {
  const budget = (usd: number): object => ({ budgets: [{ of: 'tenant', per: 'month', usd }] })
  it('stops before the cap, whoever asks at once', async () => {
    const one = modelOf('one', [after(5, 'hello')])
    // A call may cost 106 micro-dollars; 1,000 are there.
    const { attempts } = attemptsOver(fallbacks(one), { limits: budget(0.001) })
    const all = await Promise.all(Array.from({ length: 30 }, () => attempts.ask(dispatchOf())))
    expect(one.asked.length).toBeLessThanOrEqual(10)
    expect(all.filter((given) => 'fault' in given && given.fault.code === 'budget.exceeded')).toHaveLength(30 - one.asked.length)
  })
  it('V4: what is not enough for a dear model may be enough for a cheaper one', async () => {
    const dear = modelOf('dear', ['hello'], 100)
    const { attempts } = attemptsOver(fallbacks(dear, modelOf('cheap', ['hello'], 1)), { limits: budget(0.001) })
    expect(await attempts.ask(dispatchOf())).toMatchObject({ model: { name: 'cheap' } })
    expect(dear.asked).toHaveLength(0)
  })
})

describe('limits (B8)', () => {
  it('R1, D2: a tenant whose limit is used up is put off, and the model is not asked', async () => {
    const one = modelOf('one', ['hello'])
    const { attempts } = attemptsOver(fallbacks(one), {
      limits: { limits: [{ of: 'tenant', requestsPerMinute: 1 }] },
      limitStore: { take: () => Promise.resolve({ granted: 0, waitMs: 30_000 }), places: () => Promise.resolve(0) },
    })
    const given = await attempts.ask(dispatchOf())
    expect(given).toMatchObject({ fault: { code: 'model.rate_limited' } })
    expect('deferMs' in given && given.deferMs).toBeGreaterThanOrEqual(30_000)
    expect(one.asked).toHaveLength(0)
  })
})
