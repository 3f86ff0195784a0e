/* oxlint-disable unicorn/no-thenable -- `then` is a word of the flow format; nothing here is ever awaited */
// Flows by seed: every kind of step, inside each other, with everything that can be said about a step.
//   Everything a step gives is a record { n, ok, t } or null, or, for a step made of others, something that is only handed on.
//   Parts that race (any, first, quorum, early votes, parts that fail a step) begin with work, so that one record moves one of them.
import type { Json } from '@baton/contracts'
import { isJsonObject } from '@baton/contracts/json'
import { AGENTS, EVENTS, INPUT, RETURNS, ROOMY } from './flow-words.ts'
import type { Random } from './random.ts'

export type Data = Record<string, Json>
export type Step = Data
/** A flow as data; `tight` flows meet their limits, which only the run's own books can judge. */
export type FlowSpec = { readonly flow: Data & { steps: Step[] }; readonly tight: boolean }

/** Flows that others start; the second starts the first. */
export const CHILDREN = ['sim/child', 'sim/parent'] as const

type Known = { readonly name: string; readonly record: boolean }
type Ctx = {
  readonly random: Random
  readonly names: { next: number }
  readonly tight: boolean
  readonly depth: number
  readonly known: readonly Known[]
  /** Whether flows may be started here. */
  readonly flows: readonly string[]
  readonly looped: boolean
  /** Inside an undo or a handler: nothing that ends the run. */
  readonly calm: boolean
  /** Parts of a race must not wait for time. */
  readonly racing: boolean
}

const nameIn = (ctx: Ctx): string => `s${(ctx.names.next += 1)}`

const number = (ctx: Ctx): string => {
  const { random, known } = ctx
  const records = known.filter(({ record }) => record)
  if (records.length === 0 || random.chance(0.2)) return 'input.n'
  const { name } = random.pick(records)
  return `(${name} == null ? 0.5 : ${name}.n)`
}

const withOf = (ctx: Ctx): Data => {
  const { random, known } = ctx
  const values: Data = {}
  if (random.chance(0.8)) values['a'] = `=${number(ctx)}`
  if (known.length > 0 && random.chance(0.5)) values['b'] = `=${random.pick(known).name}`
  if (ctx.looped && random.chance(0.5)) values['i'] = '=index'
  return values
}

/** Work asked of a service. */
const work = (ctx: Ctx): Step => {
  const { random } = ctx
  const what = random.below(10)
  if (what < 4) return { tool: `x/${random.pick(['a', 'b', 'c'])}`, with: withOf(ctx), returns: RETURNS }
  if (what < 8)
    return {
      model: random.pick(['small', ['small', 'large']]),
      prompt: 'Say {{ a }}',
      with: { ...withOf(ctx), a: `=${number(ctx)}` },
      returns: RETURNS,
    }
  if (what < 9) return { task: 'outside', with: withOf(ctx), returns: RETURNS }
  return { retrieve: 'help', with: { query: '=input.text' } }
}

const isRecord = (step: Step): boolean => step['wait'] === undefined && (step['returns'] !== undefined || step['set'] !== undefined)

const human = (ctx: Ctx): Step => ({
  human: {
    queue: 'q',
    priority: ctx.random.pick(['high', 'normal']),
    sla: '20m',
    ...(ctx.random.chance(0.3) ? { onTimeout: 'escalate' } : {}),
  },
  with: withOf(ctx),
  returns: RETURNS,
})

const record = (ctx: Ctx): Step => ({ set: { n: `=${number(ctx)}`, ok: true, t: 'set' } })

const block = (ctx: Ctx, { work: first = false, min = 1, max = 3 }: { work?: boolean; min?: number; max?: number } = {}): Step[] => {
  const steps: Step[] = []
  const known = [...ctx.known]
  const count = min + ctx.random.below(max - min + 1)
  for (let at = 0; at < count; at += 1) {
    const name = nameIn(ctx)
    const inner = { ...ctx, known }
    const step = first && at === 0 ? furnished(inner, work(inner), { skip: false, gate: false }) : anyStep(inner)
    steps.push({ [name]: step })
    if (step['emit'] === undefined) known.push({ name, record: isRecord(step) })
  }
  // An event that was sent out has an id of its own run: nothing the flow may come to.
  if (Object.values(steps.at(-1) ?? {}).some((step) => (step as Step)['emit'] !== undefined))
    steps.push({ [nameIn(ctx)]: record({ ...ctx, known }) })
  return steps
}

const deeper = (ctx: Ctx, more: Partial<Ctx> = {}): Ctx => ({ ...ctx, depth: ctx.depth - 1, ...more })
const outcome = (ctx: Ctx): Json => {
  const { random } = ctx
  const what = random.below(8)
  if (what < 3 || (ctx.calm && what < 4)) return 'next'
  if (what === 3) return 'fail'
  if (what === 4 && !ctx.calm && ctx.random.chance(0.3)) return 'end'
  if (what === 5) return { human: { queue: 'q', priority: 'normal', sla: '20m' } }
  if (what === 6 && ctx.depth > 0) return { do: block(deeper(ctx), { max: 2 }) }
  return { tool: 'x/d', with: { a: `=${number(ctx)}` }, returns: RETURNS }
}

const handler = (ctx: Ctx): Json => {
  const { random } = ctx
  const what = random.below(7)
  if (what < 2) return 'next'
  if (what === 2) return { set: { n: 0.25, ok: false, t: 'instead' }, then: 'next' }
  if (what === 3) return { retry: { attempts: 1 + random.below(2), ...(random.chance(0.3) ? { model: ['large'] } : {}) } }
  if (what === 4 && ctx.depth > 0)
    return { do: block(deeper(ctx), { max: 2 }), then: random.pick(ctx.calm ? ['next', 'fail'] : ['next', 'next', 'fail', 'end']) }
  if (what === 5) return { tool: 'x/h', with: { code: '=fault.code' }, then: random.pick(['next', 'fail']) }
  return { tool: 'x/h', with: { code: '=fault.code' }, then: 'next' }
}

/** What may be said about work that is asked of a service. */
const askedOf = (ctx: Ctx, more: Step): void => {
  const { random } = ctx
  if (random.chance(0.2)) more['timeout'] = random.pick(['2s', '10s'])
  if (random.chance(0.15)) more['retry'] = { attempts: 2, backoff: 'exponential' }
  if (random.chance(0.15)) more['onTimeout'] = random.pick<Json>(['next', { set: { n: 0.1, ok: false, t: 'slow' } }])
  if (random.chance(0.15)) more['failover'] = Array.from({ length: 1 + random.below(2) }, () => failover(ctx))
  if (random.chance(0.12)) more['guard'] = guards(ctx)
  if (ctx.tight && random.chance(0.2)) more['budget'] = random.pick<Data>([{ calls: 1 }, { cost: '0.0005 USD' }, { tokens: 20 }])
}

const guards = ({ random }: Ctx): Json => random.pick<Json>([['pii'], [{ pii: { on: 'output' } }], [{ pii: { on: 'input' } }, 'words']])

/** Kinds whose time is that of the whole. */
const timed = (ctx: Ctx, step: Step): Data => {
  const whole = ['parallel', 'map', 'loop', 'flow'].some((kind) => step[kind] !== undefined)
  return whole && !ctx.racing && ctx.random.chance(0.15) ? { timeout: ctx.random.pick(['3s', '1m', '2h']) } : {}
}

/** What may be said about any step. */
const furnished = (ctx: Ctx, step: Step, { skip = true, gate = true }: { skip?: boolean; gate?: boolean } = {}): Step => {
  const { random } = ctx
  const asks = step['tool'] !== undefined || step['model'] !== undefined || step['task'] !== undefined
  const more: Step = {}
  if (skip && random.chance(0.15)) more['when'] = `${number(ctx)} > 0.2`
  if (random.chance(0.35)) more['onError'] = handler(ctx)
  if (asks) askedOf(ctx, more)
  if (gate && isRecord(step) && random.chance(0.3)) more['gate'] = rules(ctx)
  if (step['tool'] !== undefined && random.chance(0.35)) more['undo'] = undo(ctx)
  return { ...step, ...more, ...timed(ctx, step) }
}

const failover = (ctx: Ctx): Json => (ctx.random.chance(0.3) ? { set: { n: 0.9, ok: true, t: 'other' } } : work({ ...ctx, known: [] }))

const undo = (ctx: Ctx): Json => {
  const values = { ...withOf(ctx), got: '=it' }
  return ctx.random.chance(0.7)
    ? { tool: 'x/undo', with: values }
    : {
        do: [
          { [nameIn(ctx)]: { tool: 'x/undo', with: values, onError: 'next' } },
          { [nameIn(ctx)]: { tool: 'x/undone', with: { of: '=it' } } },
        ],
      }
}

const rules = (ctx: Ctx): Json => {
  const { random } = ctx
  const list: Data[] = [{ when: 'it.n > 0.45', then: 'next' }]
  if (random.chance(0.5)) list.push({ when: 'it.n > 0.1', then: { retry: { attempts: 1 + random.below(2) } } })
  if (random.chance(0.5)) list.push({ when: 'it.ok', then: outcome(ctx) })
  list.push({ else: random.chance(0.3) ? 'fail' : outcome(ctx) })
  return list
}

type Make = (ctx: Ctx) => Step
const KINDS: readonly (readonly [weight: number, make: Make])[] = [
  [5, (ctx) => furnished(ctx, work(ctx))],
  [1, (ctx) => furnished(ctx, human(ctx))],
  [1, (ctx) => ({ ...record(ctx), ...(ctx.random.chance(0.2) ? { when: `${number(ctx)} > 0.3` } : {}) })],
  [1.5, (ctx) => furnished(ctx, choice(ctx))],
  [1.5, (ctx) => furnished(ctx, parallel(ctx))],
  [1.5, (ctx) => furnished(ctx, map(ctx))],
  [1.2, (ctx) => furnished(ctx, vote(ctx))],
  [1.2, (ctx) => furnished(ctx, loop(ctx))],
  [0.6, (ctx) => (ctx.racing ? work(ctx) : { wait: ctx.random.pick(['2s', '10m', '3h']) })],
  [0.8, (ctx) => (ctx.racing ? work(ctx) : event(ctx))],
  [
    0.5,
    (ctx) => ({
      emit: ctx.random.pick<Json>(['sim.told', { topic: 'sim.told', type: 'sim.said', key: '=input.text' }]),
      with: withOf(ctx),
    }),
  ],
  [
    0.8,
    (ctx) =>
      ctx.flows.length === 0
        ? work(ctx)
        : furnished(ctx, {
            flow: `${ctx.random.pick(ctx.flows)}@stable`,
            with: { n: `=${number(ctx)}`, text: '=input.text', kind: '=input.kind', items: '=input.items', many: '=input.many' },
            returns: RETURNS,
          }),
  ],
  [0.9, (ctx) => furnished(ctx, agent(ctx), { gate: false })],
  [0.5, (ctx) => furnished(ctx, team(ctx), { gate: false })],
]
const FLAT = 3

const anyStep = (ctx: Ctx): Step => {
  const kinds = ctx.depth > 0 ? KINDS : KINDS.slice(0, FLAT)
  let left = ctx.random.next() * kinds.reduce((sum, [weight]) => sum + weight, 0)
  for (const [weight, make] of kinds) {
    left -= weight
    if (left <= 0) return make(ctx)
  }
  return record(ctx)
}

const choice = (ctx: Ctx): Step => {
  const inner = deeper(ctx)
  if (ctx.random.chance(0.5))
    return {
      switch: [
        { when: `${number(ctx)} > 0.6`, then: outcome(inner) },
        { when: 'input.n > 0.5', then: outcome(inner) },
        { else: outcome(inner) },
      ],
    }
  return {
    switch: '=input.text',
    cases: { order: { do: block(inner, { max: 2 }) }, other: { tool: 'x/case' } },
    else: { do: block(inner, { max: 2 }) },
  }
}

const parallel = (ctx: Ctx): Step => {
  const { random } = ctx
  const names = ['a', 'b', 'c'].slice(0, 2 + random.below(2))
  const join = random.pick<Json>(['all', 'all', 'any', 'first', { quorum: 2 }])
  const onFailure = random.pick(['fail', 'collect', 'null'])
  const inner = deeper(ctx, { racing: ctx.racing || join !== 'all' || onFailure === 'fail' })
  const branches = Object.fromEntries(names.map((name) => [name, block(inner, { work: inner.racing, max: 2 })]))
  return { parallel: branches, join, onFailure: onFailure === 'null' ? null : onFailure }
}

const map = (ctx: Ctx): Step => {
  const { random } = ctx
  const onFailure = random.pick(['fail', 'collect', 'null'])
  const racing = ctx.racing || onFailure === 'fail'
  const how = {
    onFailure: onFailure === 'null' ? null : onFailure,
    concurrency: 1 + random.below(4),
    ...(random.chance(0.3) ? { chunk: 2 } : {}),
  }
  // Wider than the outputs of one record (L11).
  if (random.chance(0.04) && !ctx.looped)
    return { map: '=input.many', as: 'item', each: { tool: 'x/each', with: { item: '=item' } }, ...how, concurrency: 300, max: 1000 }
  const inner = deeper(ctx, { racing, looped: true })
  return {
    map: '=input.items',
    as: random.chance(0.5) ? 'item' : 'thing',
    each: { do: block(inner, { work: racing, max: 2 }) },
    ...how,
    max: 10,
  }
}

const vote = (ctx: Ctx): Step => {
  const { random } = ctx
  const tie = random.pick<Json>(['fail', { human: { queue: 'q', sla: '20m' } }, { set: { n: 0.5, ok: false, t: 'tie' } }])
  if (random.chance(0.6))
    return {
      vote: { voters: 3, on: '=it.ok', rule: 'majority', tie, early: random.chance(0.5) },
      prompt: 'Vote {{ a }}',
      with: { a: `=${number(ctx)}` },
      returns: RETURNS,
    }
  const voters = [2, 1, 1].map((weight) => ({ model: 'small', prompt: 'Vote', returns: RETURNS, weight }))
  const judged = random.chance(0.5)
  return {
    vote: {
      voters,
      on: '=it.ok',
      rule: judged ? 'judge' : 'weighted',
      ...(judged ? { judge: { model: 'large', prompt: 'Judge', returns: RETURNS } } : {}),
      tie: judged ? 'fail' : tie,
    },
  }
}

const loop = (ctx: Ctx): Step => {
  const { random } = ctx
  const inner = deeper(ctx, { looped: true })
  const steps = block(inner, { max: 2 })
  const last: Step = { [nameIn(ctx)]: { ...work({ ...inner, known: [] }), returns: RETURNS } }
  if (Object.values(last).some((step) => (step as Step)['retrieve'] !== undefined))
    last[Object.keys(last)[0] ?? ''] = { tool: 'x/a', with: { i: '=index' }, returns: RETURNS }
  return {
    loop: { max: 1 + random.below(4), ...(random.chance(0.7) ? { until: 'it.n > 0.6' } : {}) },
    do: [...steps, last],
    ...(random.chance(0.3) ? { onLimit: random.pick<Json>(['next', { set: { n: 0.4, ok: false, t: 'rounds' } }]) } : {}),
  }
}

const event = (ctx: Ctx): Step => ({
  wait: {
    event: ctx.random.pick(EVENTS),
    ...(ctx.random.chance(0.5) ? { match: 'event.k == 1' } : {}),
    timeout: ctx.random.pick(['10m', '5h']),
  },
  returns: { k: 'number' },
  ...(ctx.random.chance(0.7) ? { onTimeout: ctx.random.pick<Json>(['next', { set: { k: 0 } }]) } : {}),
})

const agent = (ctx: Ctx): Step => {
  const who = ctx.random.pick<Json>(['clerk', 'clerk', 'expert', { for: '=input.kind' }])
  return { agent: who, with: { a: `=${number(ctx)}` }, ...(ctx.random.chance(0.2) ? { limits: { turns: 2, calls: 9 } } : {}) }
}

const team = (ctx: Ctx): Step => ({
  team: {
    planner: 'planner',
    workers: ['reader', 'counter'],
    synthesis: 'writer',
    concurrency: 1 + ctx.random.below(3),
    limits: { rounds: 1 + ctx.random.below(2), subtasks: 2 + ctx.random.below(4), depth: 2, calls: 60 },
  },
  with: { a: `=${number(ctx)}` },
})

const limitsOf = (random: Random): Data => ({
  time: random.pick(['20s', '90s', '10m']),
  total: random.pick(['6h', '8h']),
  steps: 4 + random.below(30),
  ...(random.chance(0.4) ? { calls: 2 + random.below(8) } : {}),
  ...(random.chance(0.4) ? { cost: `0.00${1 + random.below(5)} USD` } : {}),
  ...(random.chance(0.3) ? { tokens: 20 + random.below(100) } : {}),
})

/** Some steps of the flow itself add what they give to a buffer: one after the other, so that their order is known. */
const shareTop = (random: Random, steps: readonly Step[]): boolean => {
  if (!random.chance(0.3)) return false
  for (const step of steps)
    for (const body of Object.values(step))
      if (isJsonObject(body) && body['emit'] === undefined && random.chance(0.6)) (body as Data)['writes'] = 'notes'
  return true
}

/** A flow for requests. */
export const flowOf = (random: Random, flow = 'sim/flow', flows: readonly string[] = CHILDREN): FlowSpec => {
  const tight = random.chance(0.25)
  const ctx: Ctx = { random, names: { next: 0 }, tight, depth: 2, known: [], flows, looped: false, calm: false, racing: false }
  const steps = block(ctx, { min: 1, max: 5 })
  const shared = shareTop(random, steps)
  const top = steps.flatMap((step) =>
    Object.entries(step).flatMap(([name, body]) => (isJsonObject(body) && body['emit'] !== undefined ? [] : [name])),
  )
  const handlers: Data = {}
  const handling = { ...ctx, known: [], depth: 1, calm: true }
  if (random.chance(0.4))
    handlers['onError'] = random.pick<() => Json>([
      () => 'end',
      () => ({ tool: 'ops/log', with: { code: '=fault.code' }, then: random.pick(['fail', 'end']) }),
      () => ({ do: block(handling, { max: 2 }), then: random.pick(['fail', 'end']) }),
    ])()
  if (tight && random.chance(0.4)) handlers['onLimit'] = { human: { queue: 'limits', sla: '20m' } }
  const text = JSON.stringify([steps, handlers])
  const agents = /"(?:agent|team)":/.test(text) ? { agents: AGENTS } : {}
  return {
    tight,
    flow: {
      flow: `${flow}@1.0.0`,
      limits: tight ? limitsOf(random) : ROOMY,
      input: INPUT,
      ...agents,
      ...(shared ? { buffers: { notes: { expires: random.pick(['10m', '20d']), items: 3 } } } : {}),
      steps,
      ...handlers,
      output: { ...Object.fromEntries(top.map((name) => [name, `=${name}`])), ...(shared ? { notes: '=buffers.notes' } : {}) },
    },
  }
}
