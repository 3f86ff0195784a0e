import { describe, expect, it } from '@jest/globals'
import { flowTest } from '../flow-test.ts'
import { coverageOf } from './coverage.ts'

const FLOW = `flow: test/coverage@1.0.0
limits: { time: 1h, total: 30d }
input: { text: string }
steps:
  - sort:
      model: [large, small]
      prompt: 'Sort this. {{ text }}'
      with: { text: =input.text }
      returns: { about: card | refund, sure: 0..1 }
      gate:
        - { when: it.sure > 0.5, then: next }
        - else:
            do:
              - ticket:
                  when: input.text != ""
                  tool: desk/ticket
              - person:
                  human: { queue: desk, sla: 1d }
                  returns: { about: card | refund, sure: 0..1 }
      onError: { set: { about: card, sure: 0 }, then: next }
  - desk:
      switch: =sort.about
      cases:
        card: { tool: desk/card }
        refund: { tool: desk/refund }
      onError: next
onError: { tool: ops/log }
`
const open = () =>
  flowTest({ files: { 'flow.yaml': FLOW }, tools: { 'desk/ticket': {}, 'desk/card': 'ok', 'desk/refund': 'ok', 'ops/log': {} } })
const notTaken = (test: ReturnType<typeof open>): readonly string[] =>
  coverageOf(test.plan, test.runs, FLOW)
    .points.filter(({ taken }) => !taken)
    .map(({ what, line }) => `${what} at ${line}`)

describe('coverage', () => {
  it('P1: says which ways were not taken, and where they stand', async () => {
    const test = open()
    await test.run({ text: 'a' }, { answers: { sort: { about: 'card', sure: 1 } } })
    expect(notTaken(test)).toEqual([
      'sort/gate[1]/ticket runs at 15',
      'sort/gate[1]/ticket is skipped at 15',
      'gate of sort: else at 12',
      'onError of sort at 20',
      'failover of sort to small at 6',
      'case of desk: refund at 25',
      'onError of desk at 26',
      'onError of the flow at 27',
    ])
  })

  it('P1: is whole once every way was taken by some run', async () => {
    const test = open()
    const desk = { decides: 'respond', output: { about: 'refund', sure: 1 } } as const
    await test.run({ text: 'a' }, { answers: { sort: { about: 'card', sure: 1 } } })
    await test.run({ text: 'a' }, { answers: { sort: { about: 'card', sure: 0 } }, people: { desk } })
    await test.run({ text: '' }, { models: { large: { fails: 'model.refused' }, small: { about: 'card', sure: 0 } }, people: { desk } })
    await test.run({ text: 'a' }, { answers: { sort: { fails: 'model.refused' }, 'desk/card': { fails: 'tool.failed' } } })
    await test.run({ text: 'a' }, { answers: { sort: { about: 'card', sure: 0 } }, people: { desk: 'never' } })
    expect(notTaken(test)).toEqual(['onError of the flow at 27'])
  })
})
