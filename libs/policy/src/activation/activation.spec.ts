import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { activate, countedRules, drawn, type ActivationFacts, type ActivationRule } from './activation.policy.ts'
import { effectOf, overturnBins, proposeThreshold, type Outcome } from './proposal.policy.ts'
import { seededRandom } from '../seeded-random.policy.ts'

const FACTS: ActivationFacts = {
  runId: 'run_1',
  path: 'answer',
  flow: 'support/help',
  nodeId: 'answer',
  kind: 'model',
  effect: 'read',
  confidence: 0.6,
  taint: [],
  input: { text: 'Where is my refund?' },
}
const rule = (name: string, more: Partial<ActivationRule> = {}): ActivationRule => ({
  name,
  kinds: ['model'],
  blocking: true,
  need: { queue: 'support', kind: 'edit' },
  ...more,
})

describe('the rules that bring people in (D9, E2)', () => {
  it('V1: all conditions of a rule hold, or it does not apply; the first says whom to ask, the reasons of all are kept', () => {
    const rules = [
      rule('elsewhere', { flow: 'billing/*' }),
      rule('sure', { confidenceBelow: 0.5 }),
      rule('unsure', { flow: 'support/*', confidenceBelow: 0.72, need: { queue: 'l2', kind: 'edit' } }),
      rule('outside', { tainted: true, confidenceBelow: 0.9 }),
      rule('also', { step: 'answer', confidenceBelow: 0.7 }),
    ]
    const { stops, samples } = activate(rules, FACTS)
    expect(stops?.rule.need.queue).toBe('l2')
    expect(stops?.reasons).toEqual(['unsure: confidence 0.6 is below 0.72', 'also: confidence 0.6 is below 0.7'])
    expect(samples).toEqual([])
  })

  it('a confidence nobody gave is unsure only where the rule says so', () => {
    const facts = { ...FACTS, confidence: undefined }
    expect(activate([rule('unsure', { confidenceBelow: 0.9 })], facts).stops).toBeUndefined()
    expect(activate([rule('unsure', { confidenceBelow: 0.9, orUnknown: true })], facts).stops?.reasons).toEqual([
      'unsure: it is not known how sure the machine is',
    ])
  })

  it('risk class, taint, and customers who ask for a person', () => {
    const irreversible = rule('final', { kinds: ['tool'], effects: ['irreversible'] })
    expect(activate([irreversible], { ...FACTS, kind: 'tool', effect: 'irreversible' }).stops?.rule.name).toBe('final')
    expect(activate([irreversible], { ...FACTS, kind: 'tool', effect: 'read' }).stops).toBeUndefined()
    expect(activate([rule('outside', { tainted: true })], { ...FACTS, taint: ['web'] }).stops?.reasons).toEqual([
      'outside: content from outside is in the run: web',
    ])
    const wanted = rule('person', { says: ['real person', 'a human'] })
    expect(activate([wanted], { ...FACTS, input: { messages: [{ text: 'Let me talk to A HUMAN now' }] } }).stops?.rule.name).toBe('person')
    expect(activate([wanted], FACTS).stops).toBeUndefined()
  })

  it('the first n of a version, as somebody counted them', () => {
    const first = rule('new', { firstOfVersion: 20 })
    expect(countedRules([first, rule('other')], FACTS)).toEqual([first])
    expect(activate([first], FACTS, new Set(['new'])).stops?.reasons).toEqual(['new: one of the first 20 of this version'])
    expect(activate([first], FACTS).stops).toBeUndefined()
  })

  it('V2: chance chooses the same runs each time, and about as many as its share says', () => {
    const runs = Array.from({ length: 20_000 }, (_, n) => ({ runId: `run_${n}`, path: 'answer', rule: 'sample' }))
    const chosen = runs.filter((run) => drawn(0.05, run))
    expect(chosen.length / runs.length).toBeGreaterThan(0.045)
    expect(chosen.length / runs.length).toBeLessThan(0.055)
    fc.assert(
      fc.property(fc.string(), fc.double({ min: 0, max: 1, noNaN: true }), (runId, share) => {
        const place = { runId, path: 'p', rule: 'r' }
        expect(drawn(share, place)).toBe(drawn(share, place))
        expect(drawn(1, place)).toBe(true)
        expect(drawn(0, place)).toBe(false)
      }),
    )
  })

  it('V3: a sample never stops a run, and what a rule stops is in no sample', () => {
    const sample = rule('labels', { sample: 1, blocking: false, need: { queue: 'labels', kind: 'label' } })
    expect(activate([sample], FACTS)).toEqual({ samples: [sample] })
    expect(activate([sample, rule('unsure', { confidenceBelow: 0.7 })], FACTS).samples).toEqual([])
  })
})

describe('what people decided (E10)', () => {
  /** The machine is right as often as it is sure. All below 0.7 are reviewed, a tenth of the rest is looked at. */
  const decisions = (count: number): readonly Outcome[] => {
    const random = seededRandom(7)
    return Array.from({ length: count }, () => ({ confidence: random(), sureness: random(), chance: random() }))
      .map(({ confidence, sureness, chance }) => ({
        confidence,
        right: sureness < 0.5 + confidence / 2,
        share: confidence < 0.7 ? 1 : 0.1,
        chance,
      }))
      .filter(({ share, chance }) => chance < share)
      .map(({ confidence, right, share }) => ({ confidence, right, share }))
  }

  it('P1: rates by confidence, each sample for as many as were not looked at', () => {
    const bins = overturnBins(decisions(20_000))
    expect(bins).toHaveLength(10)
    for (const { from, to, weight, low, high } of bins) {
      expect(weight).toBeGreaterThan(1_500)
      const expected = 0.5 - (from + to) / 4
      expect(low - 0.03).toBeLessThan(expected)
      expect(high + 0.03).toBeGreaterThan(expected)
    }
  })

  it('P2: the lowest threshold that certainly reaches the target, with what it would have meant', () => {
    const outcomes = decisions(20_000)
    const { now, proposed } = proposeThreshold(outcomes, { now: 0.95, target: 0.9 })
    expect(now.automated).toBeLessThan(0.1)
    expect(proposed?.threshold).toBeGreaterThan(0.55)
    expect(proposed?.threshold).toBeLessThan(0.9)
    expect(proposed?.low).toBeGreaterThanOrEqual(0.9)
    expect(proposed?.automated ?? 0).toBeGreaterThan(now.automated)
    expect(proposeThreshold(outcomes.slice(0, 10), { now: 0.95, target: 0.5 }).proposed).toBeNull()
    expect(proposeThreshold(outcomes, { now: 0.95, target: 0.999 }).proposed).toBeNull()
    expect(effectOf([], 0.5)).toMatchObject({ automated: 0, accuracy: 1, low: 0 })
  })
})
