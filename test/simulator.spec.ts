import { describe, expect, it } from '@jest/globals'
import { simulate } from './simulator/simulation.ts'

const STEPS = 250
const SEEDS = 200

describe('the run loop under crashes, takeovers, repeats, delays and silence', () => {
  it(`R1, R2, R3, R4, R5, R6, R7, R8, R9, R10 hold after every event of ${SEEDS} seeded histories`, () => {
    const seen = new Map<string, number>()
    for (let seed = 1; seed <= SEEDS; seed += 1) {
      try {
        for (const [what, often] of simulate({ seed, steps: STEPS }).tally) seen.set(what, (seen.get(what) ?? 0) + often)
      } catch (error) {
        throw new Error(`npm run simulate -- --seed ${seed} --steps ${STEPS}`, { cause: error })
      }
    }
    // What the histories must have met for their silence to mean something.
    const met = [
      'result completed',
      'result run.cancelled',
      'result run.quarantined',
      'result limit.time_exceeded',
      'result limit.cost_exceeded',
      'result review.rejected',
      'failed step.lease_lost',
      'failed step.expired',
      'failed review.expired',
      'ignored late',
      'ignored duplicate',
      'continue',
      'refused request.not_found',
    ]
    expect(met.filter((what) => !seen.has(what))).toEqual([])
  })

  it('M1: a seed gives the same history every time', () => {
    const [first, second] = [simulate({ seed: 7, steps: STEPS }), simulate({ seed: 7, steps: STEPS })]
    expect(first).toEqual(second)
  })

  it('M2, L3: an owner that stores before its outputs are acknowledged is found out', () => {
    const seeds = Array.from({ length: 20 }, (_, index) => index + 1)
    const found = seeds.filter((seed) => {
      try {
        simulate({ seed, steps: STEPS, hasty: true })
        return false
      } catch {
        return true
      }
    })
    expect(found.length).toBeGreaterThan(10)
  })
})
