import { describe, expect, it } from '@jest/globals'
import { Fault, type FaultCode } from '@baton/contracts/fault'
import type { Json } from '@baton/contracts/json'
import type { StepCommand } from '@baton/contracts'
import type { Plan, PlanNode } from '@baton/flow/plan'
import type { WorkContext } from '@baton/service'
import type { Catalogue } from '../catalogue/catalogue.ts'
import type { Answer, Model, Question } from '../model.ts'
import type { PlanStep } from '../routes/route-plan.ts'
import { attemptsOver } from '../attempts/attempts.fixture.ts'
import { invokeHandler } from './invoke.ts'

type Step = Json | { readonly hang: true } | { readonly text: string } | { readonly slowDown: number }
const isCode = (step: Step): step is FaultCode => typeof step === 'string' && /^(model|output|config)\./.test(step)

/** A model that does what it is told, step by step, and remembers what it was asked. */
const scripted = (name: string, steps: readonly Step[], local = false): Model & { readonly asked: Question[] } => {
  const asked: Question[] = []
  const invoke = async (question: Question): Promise<Answer> => {
    const step = steps[asked.length]
    asked.push(question)
    const usage = { costMicroUsd: 100, inputTokens: 10, outputTokens: 5 }
    if (step === undefined) throw new Fault('config.invalid', 'the script is over')
    if (isCode(step)) throw new Fault(step, `${name} failed`, { model: name })
    if (typeof step === 'object' && step !== null) {
      if ('text' in step && typeof step.text === 'string') return { text: step.text, usage }
      if ('slowDown' in step) throw new Fault('model.rate_limited', 'slow down', { retryAfterMs: Number(step.slowDown) })
      if ('hang' in step)
        return new Promise((_resolve, reject) => question.signal.addEventListener('abort', () => reject(new Error('aborted'))))
    }
    return { value: step, usage }
  }
  return { name, provider: 'scripted', local, asked, invoke }
}

const good = { intent: 'refund', confidence: 0.9 }
const node: PlanNode = {
  id: 'classify',
  name: 'classify',
  kind: 'model',
  models: ['route'],
  prompt: 'ask@1',
  with: { lit: null },
  effect: 'read',
  timeoutMs: 5_000,
  retry: { attempts: 3, backoff: 'fixed', delayMs: 1, maxDelayMs: 10, jitter: false },
  returns: { type: 'object', properties: { intent: { enum: ['refund', 'other'] }, confidence: { type: 'number' } }, required: ['intent'] },
}
const plan: Plan = {
  formatVersion: 1,
  flow: 'a/b',
  version: '1.0.0',
  hash: '',
  limits: { timeMs: 1, totalMs: 1, steps: 1 },
  params: {},
  input: true,
  blocks: [],
  entry: 0,
  nodes: {},
  labels: {},
  prompts: {
    'ask@1': { parts: [{ text: 'What is ' }, { slot: ['text'] }, { text: '?' }], system: [{ text: 'Be brief.' }] },
    'ask@2': { parts: [{ text: 'Again: ' }, { slot: ['text'] }] },
  },
}
const context = (change: Partial<WorkContext> = {}): WorkContext => ({
  plan,
  node,
  input: { text: 'this' },
  signal: new AbortController().signal,
  nowMs: () => 1_000,
  parts: {},
  media: [],
  delivery: 1,
  ...change,
})
let commands = 0
// The handler reads only some fields of a command; the rest is the kit's.
const command = (override?: StepCommand['override']): StepCommand =>
  ({ override, attemptId: `a${++commands}`, tenant: 't', flow: 'a/b', deadlineMs: 20_000, priority: 'normal' }) as StepCommand

/** A cascade of models that accept an answer they are sure enough of, and of a person behind them. */
const CASCADE_TO_PERSON: Pick<PlanStep, 'role' | 'accept' | 'person'> = {
  role: 'cascade',
  accept: ({ confidence = 0 }) => ({ ok: confidence >= 0.8, why: `its confidence of ${confidence} is too low` }),
  person: { queue: 'support', kind: 'edit', priority: 'high' },
}

const handlerOf = (models: readonly Model[], more?: Partial<PlanStep>) => {
  const resolved: (readonly string[])[] = []
  const catalogue: Catalogue = {
    resolve: (names) => {
      resolved.push(names)
      return models
    },
    spends: () => false,
    list: () => [],
    embedder: () => Promise.reject(new Error('nobody asks for vectors')),
    plan: ({ names }) => {
      resolved.push(names)
      return {
        route: names.join(),
        policy: 'fallback',
        steps: models.map((model, stage) => ({ model, role: 'primary', stage: 0, ...(more === undefined ? {} : { ...more, stage }) })),
        candidates: [],
      }
    },
  }
  return { resolved, handle: invokeHandler(attemptsOver(catalogue)) }
}

describe('model.invoke', () => {
  it('renders the prompt, asks, and gives output, meter and content (G1)', async () => {
    const model = scripted('large', [good])
    const result = await handlerOf([model]).handle(command(), context())
    expect(model.asked[0]).toMatchObject({ prompt: 'What is this?', system: 'Be brief.', input: { text: 'this' } })
    expect(result).toMatchObject({
      status: 'answered',
      output: good,
      by: 'model:large',
      content: { prompt: 'What is this?', system: 'Be brief.', output: good },
      meter: {
        startedAtMs: 1_000,
        tries: 1,
        model: 'large',
        provider: 'scripted',
        inputChars: 22,
        outputChars: 36,
        costMicroUsd: 100,
        inputTokens: 10,
        confidence: 0.9,
      },
    })
  })

  it('I1: what a gate changed goes before the plan (D8)', async () => {
    const model = scripted('large', [good])
    const { handle, resolved } = handlerOf([model])
    await handle(command({ models: ['other'], prompt: 'ask@2', feedback: 'be surer' }), context())
    expect(resolved).toEqual([['other']])
    expect(model.asked[0]).toMatchObject({ prompt: 'Again: this', feedback: 'be surer' })
  })

  it('retries what may pass, in the tries of the step (B6)', async () => {
    const model = scripted('large', ['model.unavailable', 'model.rate_limited', good])
    expect(await handlerOf([model]).handle(command(), context())).toMatchObject({ meter: { tries: 3, model: 'large' } })
  })

  it('fails over by class of error and says so (B5)', async () => {
    const models = [scripted('large', ['model.refused']), scripted('small', [good])]
    expect(await handlerOf(models).handle(command(), context())).toMatchObject({
      by: 'model:small',
      meter: { tries: 1, failedOver: ['large: model.refused'] },
    })
  })

  it('fails over from a model that hangs, within the time of one try', async () => {
    const models = [scripted('large', [{ hang: true }]), scripted('small', [good], true)]
    const quick = { ...node, timeoutMs: 60 }
    expect(await handlerOf(models).handle(command(), context({ node: quick }))).toMatchObject({
      by: 'model:small',
      meter: { failedOver: ['large: model.timed_out'] },
    })
  })

  it('asks again once with what was wrong, and pays for both (D8)', async () => {
    const model = scripted('large', [{ text: '{"intent":"lunch"}' }, { text: '{"intent":"refund"}' }])
    const result = await handlerOf([model]).handle(command(), context())
    expect(model.asked[1]?.feedback).toContain('/intent must be equal to one of the allowed values: refund, other')
    expect(result).toMatchObject({ output: { intent: 'refund' }, meter: { tries: 1, costMicroUsd: 200, outputTokens: 10 } })
  })

  it('I2: answers that were thrown away are paid too', async () => {
    const models = [scripted('large', [{ text: 'no' }, { text: 'no' }]), scripted('small', [good])]
    expect(await handlerOf(models).handle(command(), context())).toMatchObject({
      meter: { costMicroUsd: 300, failedOver: ['large: output.malformed'] },
    })
  })

  it('I2: answers are paid also when none could be used', async () => {
    const models = [scripted('large', [{ text: 'no' }, { text: 'no' }]), scripted('small', [{ text: 'no' }, { text: 'no' }])]
    const once = { ...node, retry: { attempts: 1, backoff: 'fixed', delayMs: 1, maxDelayMs: 1, jitter: false } } as const
    expect(await handlerOf(models).handle(command(), context({ node: once }))).toMatchObject({
      status: 'failed',
      fault: { code: 'output.malformed' },
      meter: { tries: 1, costMicroUsd: 400, failedOver: ['large: output.malformed', 'small: output.malformed'] },
    })
  })

  it('marks what was mended (D2)', async () => {
    const model = scripted('large', [{ text: "Here: {'intent': 'refund', 'confidence': 0.5}" }])
    expect(await handlerOf([model]).handle(command(), context())).toMatchObject({
      output: { confidence: 0.45 },
      meter: { repaired: true, confidence: 0.45 },
    })
  })

  it('gives up with the fault that says what would help, and the trail', async () => {
    const models = [
      scripted('large', ['model.unavailable', 'model.unavailable', 'model.unavailable']),
      scripted('small', ['model.refused']),
    ]
    expect(await handlerOf(models).handle(command(), context())).toMatchObject({
      status: 'failed',
      fault: {
        code: 'model.unavailable',
        detail: { tries: 3, trail: 'large: model.unavailable, small: model.refused, large: model.unavailable, large: model.unavailable' },
      },
    })
  })

  it('leaves a wait that is too long to the retry topics', async () => {
    const model = scripted('large', [{ slowDown: 30_000 }])
    expect(await handlerOf([model]).handle(command(), context())).toMatchObject({
      fault: { code: 'model.rate_limited', detail: { retryAfterMs: 30_000 } },
    })
  })

  it('tells the end of the deadline from the end of the process', async () => {
    const late = handlerOf([scripted('large', [{ hang: true }])]).handle(command(), context({ signal: AbortSignal.timeout(20) }))
    expect(await late).toMatchObject({ fault: { code: 'model.timed_out' } })
    const draining = new AbortController()
    const ended = handlerOf([scripted('large', [{ hang: true }])]).handle(command(), context({ signal: draining.signal }))
    draining.abort()
    expect(await ended).toMatchObject({ fault: { code: 'bus.draining' } })
  })

  it('keeps what an answer said out of the fault', async () => {
    const model = scripted('large', [{ text: '{"intent":"x"}' }, { text: '{"intent":"x"}' }], true)
    const once = { ...node, retry: { attempts: 1, backoff: 'fixed', delayMs: 1, maxDelayMs: 1, jitter: false } } as const
    expect(await handlerOf([model]).handle(command(), context({ node: once }))).toMatchObject({
      fault: { code: 'output.schema_invalid', detail: expect.not.objectContaining({ problem: expect.anything() }) },
    })
  })

  it('I3, V5: a cascade that nobody is sure enough in ends at its person, with the last answer as the draft (B4)', async () => {
    const unsure = { intent: 'refund', confidence: 0.6 }
    const models = [scripted('small', [{ intent: 'other', confidence: 0.3 }]), scripted('large', [unsure])]
    const result = await handlerOf(models, CASCADE_TO_PERSON).handle(command(), context())
    expect(result).toMatchObject({
      status: 'asks',
      ask: {
        use: 'output',
        kind: 'edit',
        queue: 'support',
        priority: 'high',
        allowed: ['approve', 'edit', 'reject'],
        input: { question: { text: 'this' }, draft: unsure, madeBy: 'model:large', confidence: 0.6 },
        reasons: ['its confidence of 0.6 is too low; nobody stronger is left'],
      },
      meter: { costMicroUsd: 200 },
    })
  })

  it('I3: one that somebody is sure enough in asks nobody', async () => {
    const models = [scripted('small', [good]), scripted('large', [])]
    expect(await handlerOf(models, CASCADE_TO_PERSON).handle(command(), context())).toMatchObject({ status: 'answered', output: good })
  })

  it('I3, V5: where nothing holds of what models wrote, the person writes the output; all of it is paid', async () => {
    const models = [scripted('small', [{ text: 'no' }, { text: 'no' }]), scripted('large', [{ text: 'no' }, { text: 'no' }])]
    const once = { ...node, retry: { attempts: 1, backoff: 'fixed', delayMs: 1, maxDelayMs: 1, jitter: false } } as const
    expect(await handlerOf(models, CASCADE_TO_PERSON).handle(command(), context({ node: once }))).toMatchObject({
      status: 'asks',
      ask: { kind: 'question', allowed: ['respond', 'reject'], input: { question: { text: 'this' } } },
      meter: { costMicroUsd: 400 },
    })
  })

  it('V5: a provider that is down is no question for a person', async () => {
    const models = [scripted('small', ['model.refused']), scripted('large', ['model.refused'])]
    expect(await handlerOf(models, CASCADE_TO_PERSON).handle(command(), context())).toMatchObject({ status: 'failed' })
  })

  it('I3: a dry run asks nobody and goes on with what there is', async () => {
    const models = [scripted('large', [{ intent: 'refund', confidence: 0.6 }])]
    const dry: StepCommand = { ...command(), mode: 'dry_run' }
    expect(await handlerOf(models, CASCADE_TO_PERSON).handle(dry, context())).toMatchObject({ status: 'answered' })
  })
})
