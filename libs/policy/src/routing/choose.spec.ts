import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { chooseModels } from './choose.policy.ts'
import { costMicroUsd, estimateTokens, expectedCost, highestCost } from './cost.policy.ts'
import { drawOrder, placeOf } from './draw.policy.ts'
import { type Condition, type LiveFacts, type ModelFacts, type Need, UNSEEN } from './facts.ts'
import { namesOf, type RouteTree } from './tree.ts'
import type { Choosers } from './walk.ts'

const facts = (name: string, change: Partial<ModelFacts> = {}): ModelFacts => ({
  name,
  local: false,
  capabilities: { tools: true, jsonSchema: true, vision: false, audio: false },
  dataClasses: [],
  price: { input: 1, output: 4 },
  outputTokensMax: 1_000,
  ...change,
})
const MODELS: readonly ModelFacts[] = [
  facts('large', { price: { input: 10, output: 40 }, quality: 0.9, region: 'us' }),
  facts('small', { price: { input: 0.1, output: 0.4 }, quality: 0.6, region: 'eu', dataClasses: ['personal'] }),
  facts('rules', { local: true, quality: 0.3 }),
  facts('eyes', { capabilities: { tools: true, jsonSchema: true, vision: true, audio: false }, quality: 0.8 }),
]
const need = (change: Partial<Need> = {}): Need => ({
  inputTokens: 100,
  tools: false,
  jsonSchema: false,
  vision: false,
  audio: false,
  ...change,
})
const live = (change: Partial<LiveFacts> = {}): LiveFacts => ({
  nowMs: 1_000,
  leftMs: 10_000,
  conditionOf: () => UNSEEN,
  random: () => 0,
  ...change,
})
const seen = (conditions: Readonly<Record<string, Partial<Condition>>>): Pick<LiveFacts, 'conditionOf'> => ({
  conditionOf: (model) => ({ ...UNSEEN, ...conditions[model] }),
})
const latency = (p50: number, p95: number): Partial<Condition> => ({ latency: { p50, p95, ewma: p50 } })

type World = {
  readonly routes?: Readonly<Record<string, RouteTree>>
  readonly models?: readonly ModelFacts[]
  readonly key?: string
} & Partial<Choosers>
const choosers = ({ routes = {}, models = MODELS, key = 'k', ...rest }: World): Choosers => ({
  routeOf: (name) => routes[name],
  factsOf: (name) => models.find((model) => model.name === name),
  isAbsent: () => false,
  holds: () => false,
  predict: () => undefined,
  keyOf: (by) => `${by}:${key}`,
  ...rest,
})
const use = (...names: readonly string[]): readonly RouteTree[] => names.map((name) => ({ kind: 'use', name }))
const one = (name: string): RouteTree => ({ kind: 'use', name })
const choose = (tree: RouteTree, given: { need?: Partial<Need>; live?: Partial<LiveFacts> } & World = {}) => {
  const { need: wants = {}, live: moment = {}, ...world } = given
  return chooseModels(['r'], {
    need: need(wants),
    live: live(moment),
    choosers: choosers({ ...world, routes: { r: tree, ...world.routes } }),
  })
}
const asked = (choice: ReturnType<typeof choose>): readonly string[] => choice.steps.map(({ model, role }) => `${model} ${role}`)
const lostOf = (choice: ReturnType<typeof choose>, model: string): string | undefined =>
  choice.candidates.find((candidate) => candidate.model === model)?.lost

describe('routes (B2, B17)', () => {
  const list: RouteTree = { kind: 'fallback', of: use('large', 'small', 'rules') }

  it('asks a list in its order, each standing in for those before', () => {
    const choice = choose(list)
    expect(asked(choice)).toEqual(['large primary', 'small fallback', 'rules fallback'])
    expect(lostOf(choice, 'small')).toBe('it stands in for large')
    expect(choice.policy).toBe('fallback')
  })

  it('follows routes of routes, and a route with the name of its first model', () => {
    const choice = chooseModels(['large'], {
      need: need(),
      live: live(),
      choosers: choosers({
        routes: { large: { kind: 'fallback', of: use('large', 'cheap') }, cheap: { kind: 'fallback', of: use('small', 'large') } },
      }),
    })
    expect(asked(choice)).toEqual(['large primary', 'small fallback'])
  })

  it('F1: leaves out what cannot do it, and says so', () => {
    const choice = choose({ kind: 'fallback', of: use('large', 'eyes') }, { need: { vision: true } })
    expect(asked(choice)).toEqual(['eyes primary'])
    expect(lostOf(choice, 'large')).toBe('it has no vision')
  })

  it('F1: a question that does not fit goes to the model that reads more', () => {
    const short = facts('short', { capabilities: { tools: true, jsonSchema: true, vision: false, audio: false, contextTokens: 2_000 } })
    const choice = choose({ kind: 'fallback', of: use('short', 'large') }, { need: { inputTokens: 5_000 }, models: [short, ...MODELS] })
    expect(asked(choice)).toEqual(['large primary'])
    expect(lostOf(choice, 'short')).toMatch(/5000 tokens and it reads 2000/)
  })

  it('F2: a class of data goes only to models that list it, and to local ones; a region binds', () => {
    expect(asked(choose(list, { need: { dataClass: 'personal' } }))).toEqual(['small primary', 'rules fallback'])
    expect(asked(choose(list, { need: { regions: ['eu'] } }))).toEqual(['small primary', 'rules fallback'])
    expect(asked(choose(list, { need: { denied: { large: 'not for this customer' } } }))).toEqual(['small primary', 'rules fallback'])
  })

  it('F3: what rests is passed over; when all rest it is said when to come again (B8)', () => {
    const resting = seen({
      large: { breaker: 'open', restsUntilMs: 4_000 },
      small: { breaker: 'closed', restsUntilMs: 3_000 },
      rules: { limited: true },
    })
    expect(() => choose(list, { live: resting })).toThrow(
      expect.objectContaining({ code: 'model.unavailable', detail: expect.objectContaining({ retryAfterMs: 2_000 }) }),
    )
    expect(asked(choose(list, { live: seen({ large: { breaker: 'open' } }) }))).toEqual(['small primary', 'rules fallback'])
  })

  it('tells apart what is not allowed, not paid for, not priced and not there', () => {
    expect(() => choose({ kind: 'fallback', of: use('large') }, { need: { audio: true } })).toThrow(
      expect.objectContaining({ code: 'model.none_allowed' }),
    )
    expect(() => choose({ kind: 'fallback', of: use('large') }, { live: { budgetLeftMicroUsd: 10 } })).toThrow(
      expect.objectContaining({ code: 'budget.exceeded' }),
    )
    const { price: _price, ...unpriced } = facts('dark')
    expect(() => choose({ kind: 'fallback', of: use('dark') }, { models: [unpriced] })).toThrow(
      expect.objectContaining({ code: 'price.unknown' }),
    )
    expect(asked(choose({ kind: 'fallback', of: use('dark') }, { models: [{ ...unpriced, callCostMaxMicroUsd: 500 }] }))).toEqual([
      'dark primary',
    ])
    expect(() => choose({ kind: 'fallback', of: use('nobody') })).toThrow(expect.objectContaining({ code: 'model.unknown' }))
    expect(() => choose({ kind: 'fallback', of: use('nobody') }, { isAbsent: () => true })).toThrow(
      expect.objectContaining({ code: 'model.none_configured' }),
    )
  })

  it('R3: what is only too slow is asked when nothing else is left', () => {
    const slow = seen({ large: latency(30_000, 60_000), small: latency(20_000, 50_000) })
    const choice = choose({ kind: 'fallback', of: use('large', 'small') }, { live: { ...slow, leftMs: 5_000 } })
    expect(asked(choice)).toEqual(['small primary'])
    expect(choice.policy).toContain('the quickest left')
  })

  it('takes the cheapest that is good enough', () => {
    const tree: RouteTree = { kind: 'cheapest', of: use('large', 'small', 'rules'), qualityMin: 0.5 }
    const choice = choose(tree)
    expect(asked(choice)).toEqual(['small primary', 'large fallback', 'rules fallback'])
    expect(lostOf(choice, 'rules')).toMatch(/quality of 0.3 is below 0.5/)
    expect(lostOf(choice, 'large')).toBe('small is cheaper')
  })

  it('takes the cheapest of those that are fast enough, as seen', () => {
    const conditions = seen({ large: latency(300, 900), small: latency(400, 5_000) })
    expect(asked(choose({ kind: 'fastest', of: use('small', 'large'), withinMs: 1_000 }, { live: conditions }))).toEqual([
      'large primary',
      'small fallback',
    ])
    expect(asked(choose({ kind: 'fastest', of: use('small', 'large') }, { live: conditions }))[0]).toBe('large primary')
  })

  it('weighs quality, price, latency and load, and shows each', () => {
    const choice = choose({ kind: 'balanced', of: use('large', 'small'), weights: { quality: 1, price: 0, latency: 0, load: 0 } })
    expect(asked(choice)).toEqual(['large primary', 'small fallback'])
    expect(choice.candidates[0]).toMatchObject({ model: 'large', score: 0.9, parts: { quality: 0.9, price: expect.any(Number), load: 1 } })
    expect(asked(choose({ kind: 'balanced', of: use('large', 'small'), weights: { quality: 0, price: 1, latency: 0, load: 0 } }))[0]).toBe(
      'small primary',
    )
  })

  it('C2: of near ties the less busy one goes first', () => {
    const twins = [facts('a', { quality: 0.7 }), facts('b', { quality: 0.7 })]
    const busy = seen({ a: { inFlight: 5 }, b: { inFlight: 0 } })
    const tree: RouteTree = { kind: 'balanced', of: use('a', 'b'), weights: { quality: 1, price: 1, latency: 1, load: 0 } }
    for (const draw of [0, 0.3, 0.6, 0.99])
      expect(asked(choose(tree, { models: twins, live: { ...busy, random: () => draw } }))[0]).toBe('b primary')
  })

  it('believes a learned router, and is a list without one (B3)', () => {
    const tree: RouteTree = { kind: 'learned', router: 'router.json', of: use('large', 'small'), okMin: 0.7 }
    const predict = (small: number) => () => ({ large: 0.9, small })
    expect(asked(choose(tree, { predict: predict(0.8) }))).toEqual(['small primary', 'large fallback'])
    const hard = choose(tree, { predict: predict(0.4) })
    expect(asked(hard)).toEqual(['large primary', 'small fallback'])
    expect(lostOf(hard, 'small')).toBe('it is right with 40 %, and 70 % are wanted')
    expect(choose(tree)).toMatchObject({
      policy: expect.stringContaining('the router is not there'),
      steps: [{ model: 'large' }, { model: 'small' }],
    })
  })

  it('R4: a cascade accepts at every stage but the last (B4)', () => {
    const tree: RouteTree = {
      kind: 'cascade',
      stages: [
        { use: { kind: 'fallback', of: use('rules', 'small') }, accept: { confidenceMin: 0.8 } },
        { use: one('large'), accept: { confidenceMin: 0.9 } },
      ],
    }
    expect(choose(tree).steps).toEqual([
      { model: 'rules', role: 'cascade', stage: 0, accept: { confidenceMin: 0.8 } },
      { model: 'small', role: 'cascade', stage: 0, accept: { confidenceMin: 0.8 } },
      { model: 'large', role: 'cascade', stage: 1 },
    ])
    expect(choose(tree, { live: seen({ large: { breaker: 'open' } }) }).steps.every(({ accept }) => accept === undefined)).toBe(true)
  })

  it('R4: a cascade that ends at a person has its last model accepted or not, too (B4)', () => {
    const person = { queue: 'support', kind: 'edit' } as const
    const tree: RouteTree = {
      kind: 'cascade',
      stages: [
        { use: one('small'), accept: { confidenceMin: 0.8 } },
        { use: one('large'), accept: { confidenceMin: 0.6 } },
      ],
      person,
    }
    expect(choose(tree).steps).toEqual([
      { model: 'small', role: 'cascade', stage: 0, accept: { confidenceMin: 0.8 }, person },
      { model: 'large', role: 'cascade', stage: 1, accept: { confidenceMin: 0.6 }, person },
    ])
  })

  it('takes the first branch whose condition holds, and names the others', () => {
    const tree: RouteTree = {
      kind: 'when',
      rules: [{ if: 'long', use: one('large') }, { if: 'short', use: one('small') }, { use: one('rules') }],
    }
    const choice = choose(tree, { holds: (condition) => condition === 'short' })
    expect(asked(choice)).toEqual(['small primary'])
    expect(lostOf(choice, 'large')).toMatch(/its condition does not hold/)
    expect(asked(choose(tree))).toEqual(['rules primary'])
  })

  it('copies a share to a shadow, but not under a soft limit (B16)', () => {
    const tree: RouteTree = { kind: 'shadow', use: one('large'), copy: one('small'), share: 0.5 }
    expect(asked(choose(tree, { live: { random: () => 0.4 } }))).toEqual(['large primary', 'small shadow'])
    expect(asked(choose(tree, { live: { random: () => 0.6 } }))).toEqual(['large primary'])
    expect(asked(choose(tree, { live: { random: () => 0.4, frugal: true } }))).toEqual(['large primary'])
  })

  it('R2: a canary keeps its sessions, and gets about its share (B16)', () => {
    const tree: RouteTree = { kind: 'canary', use: one('large'), canary: one('small'), share: 0.2, sticky: 'session' }
    const first = (key: string): string | undefined => choose(tree, { key }).steps[0]?.model
    const keys = Array.from({ length: 2_000 }, (_, at) => `session-${at}`)
    const share = keys.filter((key) => first(key) === 'small').length / keys.length
    expect(share).toBeGreaterThan(0.17)
    expect(share).toBeLessThan(0.23)
    for (const key of keys.slice(0, 50)) expect(first(key)).toBe(first(key))
  })

  it('R5: under a soft limit the cheapest goes first', () => {
    expect(asked(choose(list, { live: { frugal: true } }))).toEqual(['rules primary', 'small fallback', 'large fallback'])
  })

  it('R1: every model of a route is named, with score or reason, whatever the route (property)', () => {
    const leaf: fc.Arbitrary<RouteTree> = fc.constantFrom(...MODELS.map(({ name }) => one(name)))
    const { tree } = fc.letrec<{ tree: RouteTree }>((tie) => {
      const many = fc.array(tie('tree'), { minLength: 1, maxLength: 3 })
      return {
        tree: fc.oneof(
          { maxDepth: 3 },
          leaf,
          many.map((of): RouteTree => ({ kind: 'fallback', of })),
          many.map((of): RouteTree => ({ kind: 'cheapest', of })),
          many.map((of): RouteTree => ({ kind: 'balanced', of })),
          many.map((of): RouteTree => ({ kind: 'weighted', of: of.map((inner, at) => ({ weight: at + 1, use: inner })) })),
          many.map((of): RouteTree => ({ kind: 'cascade', stages: of.map((inner) => ({ use: inner, accept: { confidenceMin: 0.5 } })) })),
          many.map((of): RouteTree => ({
            kind: 'when',
            rules: of.map((inner, at) => (at === of.length - 1 ? { use: inner } : { if: 'no', use: inner })),
          })),
          fc.tuple(tie('tree'), tie('tree')).map(([inner, copy]): RouteTree => ({ kind: 'shadow', use: inner, copy, share: 0.5 })),
          fc
            .tuple(tie('tree'), tie('tree'))
            .map(([inner, canary]): RouteTree => ({ kind: 'canary', use: inner, canary, share: 0.5, sticky: 'run' })),
        ),
      }
    })
    fc.assert(
      fc.property(tree, fc.double({ min: 0, max: 0.999, noNaN: true }), (drawn, draw) => {
        const choice = choose(drawn, { live: { random: () => draw } })
        const named = choice.candidates.map(({ model }) => model)
        expect(new Set(named)).toEqual(new Set(namesOf(drawn)))
        expect(named).toHaveLength(new Set(named).size)
        const main = choice.steps.filter(({ role }) => role !== 'shadow')
        expect(main.length).toBeGreaterThan(0)
        expect(main.at(-1)?.accept).toBeUndefined()
        expect(new Set(main.map(({ model }) => model)).size).toBe(main.length)
      }),
      { numRuns: 300 },
    )
  })
})

describe('what a call costs (B13)', () => {
  it('M2: a step of the price list counts for the whole call; what was cached is cheaper', () => {
    const price = { input: 3, output: 15, cachedInput: 0.3, above: [{ tokens: 200_000, input: 6, output: 22.5, cachedInput: 0.6 }] }
    expect(costMicroUsd(price, { input: 1_000, output: 100 })).toBe(4_500)
    expect(costMicroUsd(price, { input: 1_000, cachedInput: 900, output: 0 })).toBe(570)
    expect(costMicroUsd(price, { input: 300_000, output: 100 })).toBe(1_802_250)
  })

  it('M1: reserves more than it expects, and never takes an unknown price for nothing', () => {
    const priced = facts('p')
    expect(highestCost(priced, need())).toBeGreaterThan(expectedCost(priced, need()) ?? 0)
    const { price: _price, ...unpriced } = priced
    expect(expectedCost(unpriced, need())).toBeUndefined()
    expect(expectedCost({ ...unpriced, callCostMaxMicroUsd: 7 }, need())).toBe(7)
    expect(expectedCost({ ...unpriced, local: true }, need())).toBe(0)
  })

  it('estimates the tokens of long texts from their beginning', () => {
    expect(estimateTokens('The quick brown fox jumps over 1234 lazy dogs.')).toBe(11)
    const long = 'word '.repeat(100_000)
    expect(estimateTokens(long)).toBe(100_000)
    expect(estimateTokens('')).toBe(0)
  })
})

describe('draws', () => {
  it('are even, and weights are kept', () => {
    const places = Array.from({ length: 5_000 }, (_, at) => placeOf(`key ${at}`))
    expect(places.reduce((sum, place) => sum + place, 0) / places.length).toBeCloseTo(0.5, 1)
    const arms = [
      { weight: 9, name: 'a' },
      { weight: 1, name: 'b' },
    ]
    const first = places.filter((place) => drawOrder(arms, place)[0]?.name === 'b').length / places.length
    expect(first).toBeGreaterThan(0.08)
    expect(first).toBeLessThan(0.12)
    expect(drawOrder(arms, 0.99).map(({ name }) => name)).toEqual(['b', 'a'])
  })
})
