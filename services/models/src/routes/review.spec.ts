import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { routerJson, trainRouter } from '@baton/policy/router'
import { UNSEEN } from '@baton/policy/routing'
import { createCatalogue, ModelsFile } from '../catalogue/catalogue.ts'
import { questionHash } from '../adapters/recorded.adapter.ts'
import { learnedRoutes } from './learned-files.ts'
import { review, type ReviewRequest } from './review.ts'
import { readReviewCases } from './review-cases.ts'

const CASES = 60
const question = (at: number): string => `Question ${at}`
/** The small model is right about even questions and knows it; the large one is always right and costs a hundred times as much. */
const recording = (at: number, model: 'small' | 'large'): string => {
  const right = model === 'large' || at % 2 === 0
  return JSON.stringify({
    hash: questionHash({ prompt: question(at) }),
    answer: { intent: right ? 'refund' : 'other', confidence: right ? 0.97 : 0.2 },
    inputTokens: 100,
    outputTokens: 10,
  })
}
const lines = (line: (at: number) => string): string => Array.from({ length: CASES }, (_, at) => line(at)).join('\n')

describe('review of a route on recorded cases (B18)', () => {
  let flowsDir: string
  beforeAll(async () => {
    flowsDir = await mkdtemp(join(tmpdir(), 'baton-review-'))
    for (const model of ['small', 'large'] as const)
      await writeFile(
        join(flowsDir, `${model}.jsonl`),
        lines((at) => recording(at, model)),
      )
    const rows = Array.from({ length: 80 }, (_, at) => ({
      prompt: at % 2 === 0 ? `Where is my card ${at}` : `Prove the theorem of lemma ${at}`,
      ok: { small: at % 2 === 0, large: true },
    }))
    await writeFile(join(flowsDir, 'router.json'), JSON.stringify(routerJson(trainRouter(rows).model, {})))
    await writeFile(join(flowsDir, 'broken.json'), '{}')
  })
  afterAll(() => rm(flowsDir, { recursive: true }))

  const catalogueOf = (routes: object) =>
    createCatalogue(
      ModelsFile.parse({
        models: {
          small: { provider: 'recorded', recordings: 'small.jsonl', price: { input: 0.1, output: 0.4 } },
          large: { provider: 'recorded', recordings: 'large.jsonl', price: { input: 10, output: 40 } },
        },
        routes,
      }),
      { flowsDir, nowMs: () => 0, learned: learnedRoutes(flowsDir) },
    )
  const cases = readReviewCases(lines((at) => JSON.stringify({ prompt: question(at), expect: { intent: 'refund' } })))
  const request: ReviewRequest = { route: 'answer', cases, margin: 0.05, seed: 1, timeoutMs: 5_000, atOnce: 4, costMaxUsd: 10 }

  it('proposes a cascade, as the catalogue writes it, with its expected cost and quality', async () => {
    const reviewed = await review(await catalogueOf({ answer: ['large', 'small'] }), request)
    expect(reviewed.now).toMatchObject({ quality: { value: 1 }, costMicroUsd: 1_400 })
    expect(reviewed.proposal?.figures.costMicroUsd).toBeLessThan(1_000)
    expect(reviewed.yaml).toEqual({ cascade: [{ use: 'small', accept: { confidence: expect.any(Number) } }, 'large'] })
  })

  it('replays a cascade as it stands', async () => {
    const routes = { answer: { cascade: [{ use: 'small', accept: { confidence: 0.8 } }, 'large'] } }
    const { current, now } = await review(await catalogueOf(routes), request)
    expect(current.steps).toEqual([{ model: 'small', confidenceMin: 0.8 }, { model: 'large' }])
    expect(now.quality.value).toBe(1)
    expect(now.costMicroUsd).toBeLessThan(1_000)
  })

  it('C3: asks nobody when it may cost too much, and wants enough cases', async () => {
    const catalogue = await catalogueOf({ answer: ['large', 'small'] })
    await expect(review(catalogue, { ...request, costMaxUsd: 0.01 })).rejects.toMatchObject({ code: 'budget.exceeded' })
    await expect(review(catalogue, { ...request, cases: cases.slice(0, 5) })).rejects.toMatchObject({ code: 'input.invalid' })
  })

  it('C2: looks at the fields that are expected, and at text without regard to case', async () => {
    const catalogue = await catalogueOf({ answer: ['large', 'small'] })
    const wrong = cases.map((one) => ({ ...one, expect: { intent: 'other' } }))
    expect((await review(catalogue, { ...request, cases: wrong })).now.quality.value).toBe(0)
  })

  it('B3: a learned route follows the artefact that training wrote, and a broken one is told when the catalogue is read', async () => {
    const catalogue = await catalogueOf({ answer: { learned: ['large', 'small'], router: 'router.json', ok: 0.6 } })
    const first = (text: string): string | undefined =>
      catalogue.plan(
        {
          names: ['answer'],
          text,
          need: { inputTokens: 10, tools: false, jsonSchema: false, vision: false, audio: false },
          about: { tenant: 't', flow: 'f', step: 's', runId: 'r' },
        },
        { nowMs: 0, leftMs: 1_000, conditionOf: () => UNSEEN, random: () => 0 },
      ).steps[0]?.model.name
    expect(first('Where is my card 7')).toBe('small')
    expect(first('Prove the theorem of lemma 7')).toBe('large')
    await expect(catalogueOf({ answer: { learned: ['large'], router: 'broken.json' } })).rejects.toMatchObject({ code: 'config.invalid' })
  })
})
