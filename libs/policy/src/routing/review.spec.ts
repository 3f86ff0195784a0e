import { describe, expect, it } from '@jest/globals'
import { seededRandom } from '../seeded-random.policy.ts'
import { reviewRoute, routesWorthTrying, type Trial, type Trials } from './review.policy.ts'

const CASES = 400
/** A cheap model that knows when it is wrong, and a strong one that is nearly always right. */
const world = (cheapKnows: boolean): Trials => {
  const random = seededRandom(3)
  const cheap: Trial[] = []
  const strong: Trial[] = []
  for (let at = 0; at < CASES; at++) {
    const right = random() < 0.7
    const sure = cheapKnows ? right : random() < 0.7
    cheap.push({ right, costMicroUsd: 10, latencyMs: 100, confidence: sure ? 0.97 : 0.3 })
    strong.push({ right: random() < 0.97, costMicroUsd: 1_000, latencyMs: 900 })
  }
  return { cheap, strong }
}
const current = { name: 'strong', steps: [{ model: 'strong' }, { model: 'cheap' }] }

describe('review of a route (B18)', () => {
  it('proposes a cascade where the cheap model knows when it is wrong, with its expected cost and quality', () => {
    const { now, proposal } = reviewRoute(world(true), { current, margin: 0.02, seed: 1 })
    expect(now).toMatchObject({ cases: 200, costMicroUsd: 1_000 })
    expect(proposal?.route.steps).toMatchObject([{ model: 'cheap', confidenceMin: expect.any(Number) }, { model: 'strong' }])
    expect(proposal?.figures.costMicroUsd).toBeLessThan(500)
    expect(proposal?.difference.low).toBeGreaterThanOrEqual(-0.02)
  })

  it('V2: proposes nothing where cheaper is worse', () => {
    expect(reviewRoute(world(false), { current, margin: 0.02, seed: 1 }).proposal).toBeUndefined()
  })

  it('V3: a call that failed or was not accepted is paid all the same', () => {
    const trials: Trials = {
      a: [{ right: false, costMicroUsd: 5, latencyMs: 1, failed: true }],
      b: [{ right: true, costMicroUsd: 7, latencyMs: 2 }],
    }
    const { now } = reviewRoute(trials, { current: { name: 'ab', steps: [{ model: 'a' }, { model: 'b' }] }, margin: 0, seed: 1 })
    expect(now).toMatchObject({ cases: 1, costMicroUsd: 12, meanMs: 3, unanswered: 0, quality: { value: 1 } })
  })

  it('tries every model first, and cheaper ones before dearer ones', () => {
    const names = routesWorthTrying(world(true)).map(({ name }) => name)
    expect(names).toEqual(expect.arrayContaining(['cheap', 'strong', 'cheap from 0.8, else strong']))
    expect(names).not.toContain('strong from 0.8, else cheap')
  })

  it('says the same for the same seed', () => {
    const once = reviewRoute(world(true), { current, margin: 0.02, seed: 5 })
    expect(reviewRoute(world(true), { current, margin: 0.02, seed: 5 })).toEqual(once)
  })
})
