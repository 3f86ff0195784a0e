import { describe, expect, it } from '@jest/globals'
import { COMPOSED_KINDS } from '@baton/flow/plan'
import { simulate } from './simulator/simulation.ts'

const STEPS = 250
/** Every kind of step but those that decide and are over. */
const KINDS = ['model', 'tool', 'retrieve', 'human', 'task', 'set', 'undo', ...COMPOSED_KINDS]
const SEEDS = 64

describe('the run loop under crashes, takeovers, repeats, delays and silence', () => {
  it(`R1, R2, R3, R4, R5, R6, R7, R8, R9, R10, L8, L11, Q1, U1, REF hold after every event of ${SEEDS} seeded histories`, async () => {
    const seen = new Map<string, number>()
    for (let seed = 1; seed <= SEEDS; seed += 1) {
      try {
        for (const [what, often] of (await simulate({ seed, steps: STEPS })).tally) seen.set(what, (seen.get(what) ?? 0) + often)
      } catch (error) {
        throw new Error(`npm run proof:simulate -- --seed ${seed} --steps ${STEPS}`, { cause: error })
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
      'failed review.expired',
      'ignored late',
      'ignored duplicate',
      'continue',
      'refused request.not_found',
      'reference alike',
      'controlled paused',
      'controlled resumed',
      'controlled patched',
      'controlled cancelled',
      'controlled retried',
      'controlled refused',
      'event kept',
      'event taken',
      'child',
      'child completed',
      'child cancelled',
      'withdrawn',
      ...KINDS.map((kind) => `kind ${kind}`),
    ]
    expect(met.filter((what) => !seen.has(what))).toEqual([])
  }, 120_000)

  it('M1: a seed gives the same history every time', async () => {
    const [first, second] = await Promise.all([simulate({ seed: 7, steps: STEPS }), simulate({ seed: 7, steps: STEPS })])
    expect(first).toEqual(second)
  })

  it('M2, L3: an owner that stores before its outputs are acknowledged is found out', async () => {
    let found = 0
    for (let seed = 1; seed <= 20; seed += 1) {
      try {
        await simulate({ seed, steps: STEPS, hasty: true })
      } catch {
        found += 1
      }
    }
    expect(found).toBeGreaterThan(10)
  })
})
