import { describe, expect, it } from '@jest/globals'
import { readActivation } from './activation-config.ts'

describe('policies.yaml (E2)', () => {
  it('reads rules; what is drawn by chance is looked at afterwards, the rest before it travels on', () => {
    const rules = readActivation(
      `review:
  - { rule: unsure, flow: support/*, confidenceBelow: 0.72, need: { queue: support, sla: 2h, risk: reversible } }
  - { rule: sample, sample: 2%, need: { queue: labels } }
  - { rule: final, effects: [irreversible], need: { queue: finance, kind: approval, quorum: { n: 2, of: 2 } } }
`,
      'policies.yaml',
    )
    expect(rules).toEqual([
      {
        name: 'unsure',
        flow: 'support/*',
        kinds: ['model'],
        confidenceBelow: 0.72,
        blocking: true,
        need: { queue: 'support', kind: 'edit', slaMs: 7_200_000, risk: 'reversible' },
      },
      { name: 'sample', kinds: ['model'], sample: 0.02, blocking: false, need: { queue: 'labels', kind: 'label' } },
      {
        name: 'final',
        kinds: ['model', 'tool', 'retrieve'],
        effects: ['irreversible'],
        blocking: true,
        need: { queue: 'finance', kind: 'approval', quorum: { n: 2, of: 2, distinctRoles: false } },
      },
    ])
  })

  it.each([
    ['review: [{ rule: a }]', 'policies.yaml: review.0.need: '],
    ['review: [{ rule: a, sample: 200%, need: { queue: q } }]', 'policies.yaml: review.0.sample: '],
    ['review: [{ rule: a, confidence: 0.5, need: { queue: q } }]', 'policies.yaml: review.0: '],
    ['review: [{ rule: a, need: { queue: q } }, { rule: a, need: { queue: q } }]', 'policies.yaml: two rules are called "a"'],
    ['review: [', 'policies.yaml: not YAML'],
  ])('%s is a mistake that stops the start', (text, told) => {
    expect(() => readActivation(text, 'policies.yaml')).toThrow(told)
  })

  it('no file, no rules', () => {
    expect(readActivation('', 'policies.yaml')).toEqual([])
  })
})
