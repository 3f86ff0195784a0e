import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from '@jest/globals'
import { UNSEEN, type LiveFacts } from '@baton/policy/routing'
import type { Fields, Logger, Metrics } from '@baton/telemetry'
import { createCatalogue, ModelsFile, type Surroundings } from './catalogue.ts'
import { parseConfig } from './config-text.ts'
import { createLiveCatalogue, MODELS_KEY } from './live-catalogue.ts'
import type { PlanRequest } from '../routes/route-plan.ts'

const root = join(dirname(fileURLToPath(import.meta.url)), '../../../../')
const JUNE = Date.parse('2026-06-15')
const surroundings = (change: Partial<Surroundings> = {}): Surroundings => ({
  flowsDir: join(root, 'flows'),
  nowMs: () => JUNE,
  env: { VLLM_API_KEY: 'secret-key', ANTHROPIC_API_KEY: 'secret-key' },
  ...change,
})
const read = (text: string): ModelsFile => parseConfig(text, ModelsFile, 'models.yaml')
const catalogueOf = (text: string, change: Partial<Surroundings> = {}) => createCatalogue(read(text), surroundings(change))
const live: LiveFacts = { nowMs: JUNE, leftMs: 10_000, conditionOf: () => UNSEEN, random: () => 0 }
const request = (
  names: readonly string[],
  change: Partial<PlanRequest['about']> & { text?: string; inputTokens?: number } = {},
): PlanRequest => {
  const { text = 'Hi', inputTokens = 100, ...about } = change
  return {
    names,
    text,
    need: { inputTokens, tools: false, jsonSchema: false, vision: false, audio: false },
    about: { tenant: 'acme', flow: 'shop/help', step: 'answer', runId: 'r1', ...about },
  }
}

const FULL = `
servers:
  vllm: { url: 'http://127.0.0.1:9/v1', keyFrom: VLLM_API_KEY, region: eu, limits: { requestsPerMinute: 60 } }
models:
  big:
    provider: anthropic
    model: claude-sonnet-4-5-20250929
    quality: 0.9
    limits: { concurrency: 4, firstToken: 10s, idle: 5s }
  own:
    provider: openai
    server: vllm
    model: llama-3.1-8b
    can: [jsonSchema]
    contextTokens: 8000
    dataClasses: [personal]
    price: [{ from: 2026-01-01, input: 1, output: 2 }, { from: 2026-06-01, input: 3, output: 4 }]
  dark: { provider: openai, server: vllm, model: nobody-knows }
  capped: { provider: openai, server: vllm, model: nobody-knows, callCostMax: 0.01 }
routes:
  default: { when: [{ if: need.inputTokens > 5000, use: big }, { else: own }] }
  session: { canary: big, of: own, share: 0.5, sticky: session }
  guarded: { cascade: [{ use: own, accept: { confidence: 0.8 } }, big] }
  watched: { cascade: [{ use: own, accept: { confidence: 0.8 } }, { use: big, accept: { confidence: 0.7 } }, { person: { queue: support, sla: 4h } }] }
policies:
  - { if: "request.flow.startsWith('health/')", dataClass: personal, why: patients }
  - { if: request.tenant == 'swiss', regions: [ch] }
`

describe('calibration in the catalogue', () => {
  const fitted = `${FULL}calibration: { session: { kind: platt, slope: 2, intercept: -1 }, own: { kind: platt, slope: 1, intercept: 0 } }\n`
  it('that of the route counts, else that of the model that answers', async () => {
    const { plan } = await catalogueOf(fitted)
    expect(plan(request(['session']), live).calibratorOf?.('own')).toEqual({ kind: 'platt', slope: 2, intercept: -1 })
    expect(plan(request(['default']), live).calibratorOf?.('own')).toEqual({ kind: 'platt', slope: 1, intercept: 0 })
    expect(plan(request(['default']), live).calibratorOf?.('big')).toBeUndefined()
  })
  it('G4: one of nobody is refused', async () => {
    await expect(catalogueOf(`${FULL}calibration: { nobody: { kind: platt, slope: 2, intercept: -1 } }\n`)).rejects.toMatchObject({
      code: 'config.invalid',
      message: 'calibration.nobody: there is no model or route nobody.',
    })
  })
})

describe('the catalogue (B1, B2, B13)', () => {
  it('knows what a model can do, where it is, how often it may be asked and what it costs today', async () => {
    const catalogue = await catalogueOf(FULL)
    const about = Object.fromEntries(
      catalogue.list().map(({ name, about: said, priceFrom }) => [name, { ...said, price: said.price, priceFrom }]),
    )
    expect(about['own']).toMatchObject({
      server: 'vllm',
      region: 'eu',
      capabilities: { tools: false, jsonSchema: true, contextTokens: 8_000 },
      dataClasses: ['personal'],
      price: { input: 3, output: 4 },
      serverLimits: { requestsPerMinute: 60 },
      priceFrom: 'catalogue',
    })
    expect(about['big']).toMatchObject({
      priceFrom: 'book',
      price: { input: 3, output: 15, above: [{ tokens: 200_000, input: 6, output: 22.5 }] },
      limits: { concurrency: 4, firstTokenMs: 10_000, idleMs: 5_000 },
    })
    expect(JSON.stringify(catalogue.list())).not.toContain('secret-key')
  })

  it('P2: a price counts from its day on', async () => {
    const before = await catalogueOf(FULL, { nowMs: () => Date.parse('2026-03-01') })
    expect(before.list().find(({ name }) => name === 'own')?.about.price).toEqual({ input: 1, output: 2 })
  })

  it("X1, X2: a judge that is not there accepts nothing; the threshold is the route's, else the judge's own", async () => {
    const text = FULL.replace('accept: { confidence: 0.8 }', 'accept: { judge: judge.json }')
    const accepts = async (change: Partial<Surroundings>): Promise<boolean | undefined> =>
      (await catalogueOf(text, change)).plan(request(['guarded']), live).steps[0]?.accept?.({ value: 'yes', repaired: false }).ok
    const judging = (threshold: number): Partial<Surroundings> => ({
      learned: { router: async () => undefined, judge: async () => () => ({ probability: 0.7, threshold }) },
    })
    expect(await accepts({})).toBe(false)
    expect([await accepts(judging(0.6)), await accepts(judging(0.75))]).toEqual([true, false])
  })

  it("P3: a model of one's own server is not taken for a provider's of the same name", async () => {
    const text =
      'servers: { own: { url: "http://127.0.0.1:9/v1" } }\nmodels: { a: { provider: openai, server: own, model: gpt-4o-mini }, b: { provider: openai, model: gpt-4o-mini } }'
    const catalogue = await catalogueOf(text, { openai: { baseUrl: 'https://api.openai.com/v1', apiKey: 'k' } })
    expect(catalogue.list().map(({ name, priceFrom }) => [name, priceFrom])).toEqual([
      ['a', 'unknown'],
      ['b', 'book'],
    ])
  })

  it('Y3: refuses a model of unknown price, unless its calls have a cap', async () => {
    const catalogue = await catalogueOf(FULL)
    expect(() => catalogue.plan(request(['dark']), live)).toThrow(expect.objectContaining({ code: 'price.unknown' }))
    expect(catalogue.plan(request(['capped']), live).steps.map(({ model }) => model.about?.callCostMaxMicroUsd)).toEqual([10_000])
  })

  it('chooses by condition on the question and on the request', async () => {
    const catalogue = await catalogueOf(FULL)
    expect(catalogue.plan(request(['default']), live).steps[0]?.model.name).toBe('own')
    expect(catalogue.plan(request(['default'], { inputTokens: 6_000 }), live).steps[0]?.model.name).toBe('big')
  })

  it('Q1: policies bind a flow to a class of data, a tenant to its region', async () => {
    const catalogue = await catalogueOf(FULL)
    const health = catalogue.plan(request(['big', 'own'], { flow: 'health/triage' }), live)
    expect(health.steps.map(({ model }) => model.name)).toEqual(['own'])
    expect(health.candidates).toContainEqual({ model: 'big', lost: 'it may not see data of the class personal' })
    expect(() => catalogue.plan(request(['big', 'own'], { tenant: 'swiss' }), live)).toThrow(
      expect.objectContaining({ code: 'model.none_allowed' }),
    )
  })

  it('B16: the same session stays with the newcomer', async () => {
    const catalogue = await catalogueOf(FULL)
    const first = (session: string, runId: string): string | undefined =>
      catalogue.plan(request(['session'], { session, runId }), live).steps[0]?.model.name
    const chosen = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'].map((session) => first(session, 'one'))
    expect(new Set(chosen)).toEqual(new Set(['big', 'own']))
    expect(['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'].map((session) => first(session, 'two'))).toEqual(chosen)
  })

  it('X1, B4: an answer that is not sure enough leads to the next stage', async () => {
    const [cheap, strong] = (await catalogueOf(FULL)).plan(request(['guarded']), live).steps
    expect(cheap?.accept?.({ value: {}, confidence: 0.9, repaired: false })).toMatchObject({ ok: true })
    expect(cheap?.accept?.({ value: {}, confidence: 0.7, repaired: false })).toMatchObject({
      ok: false,
      why: expect.stringContaining('70 %'),
    })
    expect(cheap?.accept?.({ value: {}, repaired: false })).toMatchObject({ ok: false })
    expect(cheap?.accept?.({ value: {}, confidence: 0.9, repaired: true })).toMatchObject({ ok: false })
    expect([strong?.role, strong?.accept]).toEqual(['cascade', undefined])
  })

  it('R4, B4: a cascade that ends at a person judges the answer of its last model, too', async () => {
    const { steps } = (await catalogueOf(FULL)).plan(request(['watched']), live)
    expect(steps.map(({ model, person }) => [model.name, person])).toEqual(
      ['own', 'big'].map((name) => [name, { queue: 'support', kind: 'edit', slaMs: 14_400_000 }]),
    )
    expect(steps[1]?.accept?.({ value: {}, confidence: 0.6, repaired: false })).toMatchObject({ ok: false })
  })
})

describe('mistakes in the catalogue', () => {
  const problem = async (text: string): Promise<string> => {
    try {
      await catalogueOf(text)
      return 'none'
    } catch (error) {
      return (error as Error).message
    }
  }

  it('are told by line, where they were meant', async () => {
    expect(await problem('models:\n  a:\n    provider: openai\n    model: 7\n')).toMatch(/line 4: models\.a\.model/)
    expect(await problem('models:\n  a: { provider: rules, rules: r.yaml }\nroutes:\n  x:\n    cheapest: [a]\n    qualty: 1\n')).toMatch(
      /line 5: routes\.x: .*qualty/,
    )
    expect(await problem('models:\n  a: [\n')).toMatch(/not valid YAML, line/)
    expect(await problem('models: { a: { provider: openai, model: x, apiKey: k } }')).toMatch(/apiKey/)
    expect(await problem('models: {}\nroutes: { x: { fastest: [] } }')).toMatch(/routes\.x/)
  })

  it('G4: a route that names nobody, or a condition that does not read, is told before a run needs it', async () => {
    expect(await problem('models: { q: { provider: extractive } }\nroutes: { x: [q, nobody] }')).toMatch(
      /routes\.x: there is no model or route nobody/,
    )
    expect(
      await problem('models: { q: { provider: extractive } }\nroutes: { x: { when: [{ if: "need.inputTokens >", use: q }] } }'),
    ).toMatch(/routes\.x/)
    expect(
      await problem('models: { q: { provider: extractive } }\nroutes: { x: { when: [{ if: "ned.inputTokens > 1", use: q }] } }'),
    ).toMatch(/"ned"/)
    expect(await problem('models: { a: { provider: openai, server: s, model: x } }')).toMatch(/there is no server s/)
  })

  it('G3: a server names variables that can only be addresses and keys', () => {
    expect(() => read('servers: { s: { url: "http://x/v1", keyFrom: DATABASE_URL } }\nmodels: {}')).toThrow(/_API_KEY/)
    expect(() => read('servers: { s: { url: "file:///etc/passwd" } }\nmodels: {}')).toThrow(/servers\.s\.url/)
  })
})

const silent = (): { logger: Logger; metrics: Metrics; counted: string[]; told: Fields[] } => {
  const [counted, told]: [string[], Fields[]] = [[], []]
  const say = (fields: Fields): void => void told.push(fields)
  const logger: Logger = { debug: say, info: say, warn: say, error: say, child: () => logger }
  return {
    logger,
    told,
    counted,
    metrics: { count: (name) => void counted.push(name), gauge: () => undefined, observe: () => undefined, render: async () => '' },
  }
}
const record = (version: number, content: unknown) => ({
  key: MODELS_KEY,
  value: Buffer.from(JSON.stringify({ document: 'models', version, hash: 'a'.repeat(64), by: 'ada', atMs: 1, content })),
})

describe('the catalogue that is asked while it is exchanged', () => {
  const first = 'models: { quotes: { provider: extractive } }\nroutes: { default: [quotes] }'
  const second = { models: { quotes: { provider: 'extractive' }, more: { provider: 'extractive' } }, routes: { default: ['more'] } }
  const open = async () => {
    const told = silent()
    return { ...told, catalogue: await createLiveCatalogue(read(first), surroundings(), told) }
  }
  const asked = ({ catalogue }: Awaited<ReturnType<typeof open>>): readonly string[] =>
    catalogue.resolve(['default']).map(({ name }) => name)

  it('H3: takes the newest document, and goes back to the file when it is taken away', async () => {
    const opened = await open()
    await opened.catalogue.take(record(1, second))
    expect(asked(opened)).toEqual(['more'])
    expect(opened.catalogue.state()).toMatchObject({ version: 1, source: 'topic', by: 'ada' })
    await opened.catalogue.take({ key: MODELS_KEY, value: Buffer.alloc(0) })
    expect([asked(opened), opened.catalogue.state().source]).toEqual([['quotes'], 'file'])
  })

  it('H1: a document that does not read, or names what is not there, changes nothing and is told', async () => {
    const opened = await open()
    await opened.catalogue.take(record(1, second))
    await opened.catalogue.take(record(2, { models: { x: { provider: 'nobody' } } }))
    await opened.catalogue.take(record(3, { ...second, routes: { default: ['gone'] } }))
    await opened.catalogue.take({ key: MODELS_KEY, value: Buffer.from('{ no json') })
    expect(asked(opened)).toEqual(['more'])
    expect(opened.catalogue.state()).toMatchObject({ version: 1, refused: { version: 3, problem: expect.stringContaining('gone') } })
    expect(opened.counted).toEqual(['baton_config_refused', 'baton_config_refused', 'baton_config_refused'])
  })

  it('looks at documents of its own only, and takes them in order', async () => {
    const opened = await open()
    await opened.catalogue.take({ ...record(9, second), key: 'config/tools' })
    expect(asked(opened)).toEqual(['quotes'])
    await Promise.all([
      opened.catalogue.take(record(1, second)),
      opened.catalogue.take(record(2, { ...second, routes: { default: ['quotes'] } })),
    ])
    expect([asked(opened), opened.catalogue.state().version]).toEqual([['quotes'], 2])
  })

  it('says whether a text would do, without taking it', async () => {
    const opened = await open()
    expect(await opened.catalogue.check('models: { a: { provider: extractive } }')).toMatchObject({ models: 1, routes: 0 })
    await expect(opened.catalogue.check('models:\n  a: { provider: x }')).rejects.toMatchObject({
      code: 'config.invalid',
      detail: { line: 2 },
    })
    expect(asked(opened)).toEqual(['quotes'])
  })
})
