import { describe, expect, it } from '@jest/globals'
import { COMPOSED_KINDS } from '@baton/flow/plan'
import { sizesOf } from './simulator/rounds.ts'
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

  const TOOL = '{ tool: x/a, with: { i: =index, it: =it }, returns: { n: number, ok: boolean, t: string } }'
  const AGENTS = `agents:
  clerk: { model: m, prompt: Help, tools: [shop/find], limits: { turns: 4, calls: 5000 }, returns: { n: number, ok: boolean, t: string } }`
  it.each([
    ['work', `[{ a: ${TOOL} }, { b: ${TOOL} }]`],
    [
      'a gate that asks again',
      `[{ a: { tool: x/a, with: { i: =index }, returns: { n: number }, gate: [{ when: it.n > 0.5, then: next }, { when: it.n > 0.1, then: { retry: { attempts: 2 } } }, { else: next }] } }]`,
    ],
    ['a switch', `[{ a: ${TOOL} }, { s: { switch: [{ when: a.n > 0.5, then: next }, { else: ${TOOL} }] } }]`],
    ['branches, the first of which counts', `[{ p: { parallel: { a: ${TOOL}, b: [{ b1: ${TOOL} }, { b2: ${TOOL} }] }, join: first } }]`],
    ['a map', `[{ m: { map: '=[1, 2, 3]', each: ${TOOL}, concurrency: 2 } }]`],
    [
      'a vote',
      `[{ v: { vote: { voters: 3, on: =it.ok, early: true, tie: { set: { ok: true } } }, prompt: V, returns: { ok: boolean } } }]`,
    ],
    ['a loop', `[{ k: { loop: { max: 3, until: it.n > 0.6 }, do: [{ a: ${TOOL} }] } }]`],
    ['a wait', `[{ a: ${TOOL} }, { w: { wait: 1s } }]`],
    ['a person', `[{ h: { human: { queue: q, sla: 30m }, returns: { n: number } } }]`],
    ['an agent', `[{ g: { agent: clerk, onError: next } }, { a: ${TOOL} }]`, AGENTS],
    ['an event sent', `[{ a: ${TOOL} }, { e: { emit: told } }, { s: { set: { n: 1 } } }]`],
  ])('R10: a hundred rounds more do not make the state larger: %s', (_, body, more = '') => {
    const sizes = sizesOf(body, 130, more)
    const [early, late] = [Math.max(...sizes.slice(10, 30)), Math.max(...sizes.slice(110, 130))]
    expect(sizes).toHaveLength(130)
    // Numbers have more digits, outputs are not all of one length.
    expect(late).toBeLessThan(early + 150)
  })
})
