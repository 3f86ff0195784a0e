import { describe, expect, it } from '@jest/globals'
import { peopleMs, type HumanSpec } from '../plan.ts'
import { mistakesIn, nodeOf } from '../testing/compiled.ts'

const flow = (human: string): string => `input: { text: string }\nsteps:\n  - a: { human: ${human}, with: { text: =input.text } }\n`
const humanOf = (human: string): HumanSpec => {
  const node = nodeOf(flow(human), 'a')
  if (node.kind !== 'human') throw new Error(node.kind)
  return node.human
}

describe('a step of a person (E3, E5)', () => {
  it('says nothing in its plan that the flow does not say: the hash of older flows stays', () => {
    expect(humanOf('support')).toEqual({ queue: 'support', priority: 'normal', slaMs: 86_400_000, onTimeout: 'fail' })
    expect(Object.keys(humanOf('{ queue: support, priority: high, sla: 2h, title: Look, onTimeout: escalate }'))).toEqual([
      'queue',
      'priority',
      'slaMs',
      'onTimeout',
      'title',
    ])
  })

  it('has priorities from 0 to 100, each with the name nearest to it', () => {
    expect(humanOf('{ queue: support, priority: 80 }')).toMatchObject({ priority: 'high', urgency: 80 })
    expect(humanOf('{ queue: support, priority: 0 }')).toMatchObject({ priority: 'low', urgency: 0 })
    expect(mistakesIn(flow('{ queue: support, priority: 101 }'))).toEqual([
      '3:45 literal.range a priority is emergency, high, normal, low, or a whole number from 0 to 100 | 75',
    ])
  })

  it('climbs a chain of queues, each with clocks of its own, and gives people the time of all of them', () => {
    const human = humanOf(
      '{ queue: support, claim: 10m, sla: 1h, chain: [leads, { queue: managers, sla: 30m, claim: 5m, roles: manager }] }',
    )
    expect(human).toMatchObject({
      claimMs: 600_000,
      chain: [
        { queue: 'leads', slaMs: 3_600_000 },
        { queue: 'managers', slaMs: 1_800_000, claimMs: 300_000, roles: ['manager'] },
      ],
    })
    expect(peopleMs(human)).toBe(9_000_000)
    expect(peopleMs(humanOf('{ queue: support, sla: 1h, onTimeout: escalate }'))).toBe(7_200_000)
  })

  it('asks several people, of several roles, and not who began the run', () => {
    expect(
      humanOf(
        '{ queue: finance, roles: [finance, law], skills: german, quorum: { n: 2, of: 3, distinctRoles: true, excludeRequester: true } }',
      ),
    ).toMatchObject({
      roles: ['finance', 'law'],
      skills: ['german'],
      quorum: { n: 2, of: 3, distinctRoles: true, excludeRequester: true },
    })
    expect(humanOf('{ queue: finance, quorum: 2 }').quorum).toEqual({ n: 2, of: 2, distinctRoles: false, excludeRequester: false })
    expect(mistakesIn(flow('{ queue: finance, quorum: { n: 3, of: 2 } }'))).toEqual([
      '3:55 literal.range 3 of 2 people can never agree | of: 3',
    ])
  })

  it('says what silence means by its risk: what can be taken back is asked for once more', () => {
    expect(humanOf('{ queue: support, risk: reversible }')).toMatchObject({ risk: 'reversible', onTimeout: 'escalate' })
    expect(humanOf('{ queue: support, risk: irreversible }')).toMatchObject({ risk: 'irreversible', onTimeout: 'fail' })
  })

  it('names reasons to reject, each with what the model is told', () => {
    expect(humanOf('{ queue: support, kind: edit, reasons: { tone: Be friendlier. } }')).toMatchObject({
      kind: 'edit',
      reasons: { tone: 'Be friendlier.' },
    })
    expect(humanOf('{ queue: support, reasons: [wrong_amount] }').reasons).toEqual({ wrong_amount: 'wrong amount.' })
  })

  it('a review that goes on when nobody looks is no approval of what cannot be taken back', () => {
    const pay = (human: string): string =>
      `input: { text: string }\nsteps:\n  - a: { human: ${human}, with: { text: =input.text } }\n  - pay: { tool: pay, effect: irreversible }\n`
    expect(mistakesIn(pay('{ queue: finance, risk: irreversible }'))).toEqual([])
    expect(mistakesIn(pay('{ queue: finance, risk: advisory }'))).toEqual([expect.stringContaining('effect.unapproved')])
  })
})
