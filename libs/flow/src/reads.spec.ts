import { describe, expect, it } from '@jest/globals'
import { toMermaid } from './mermaid.ts'
import { readFieldsOf } from './reads.ts'
import { planOf } from './testing/compiled.ts'
import { EVERYTHING } from './testing/everything.ts'

const plan = planOf(EVERYTHING)

describe('a flow with every word', () => {
  it('is drawn: a shape for each kind, an arrow for each branch, voter, round and outcome', () => {
    const chart = toMermaid(plan)
    for (const line of [
      'n1[["signals<br/><small>3 branches at once, waits for 2</small>"]]',
      'n6(["paid<br/><small>wait for payment/confirmed where event.order == input.order</small>"])',
      'n9{{"asked<br/><small>agent clerk, at most 3 turns</small>"}}',
      't0>"topic tickets"]',
      'n1 -- "unsafe" -->',
      'n3 -- "voter[0]" -->',
      'n4 -- "each round" -->',
      'n6 -- "on timeout" --> failed',
      'start -- "on limit" -->',
    ])
      expect(chart).toContain(line)
    expect(chart).not.toContain('[object')
  })
})

describe('the fields that later expressions read', () => {
  it('are those that a worker has to send inline', () => {
    const reads = readFieldsOf(
      planOf(`steps:
  - one: { tool: x, gate: { when: it.confidence > 0.5, then: next, else: fail } }
  - two: { tool: y, with: { text: =one.body.text, all: =one.body }, when: one.kind == "a" }
  - three: { tool: z, with: { first: "=two.items[0].name", none: =one == null } }
  - four: { switch: =two.state, cases: { a: next }, else: fail }
output: { done: =three }
`),
    )
    expect(reads).toEqual({
      one: [['body'], ['confidence'], ['kind']],
      two: [['items'], ['state']],
      three: [[]],
    })
  })

  it('are seen in composed steps, and in the fields beside what a step does', () => {
    const map = '{ map: =a.list, each: { set: { n: =item.n, k: =a.key } } }'
    const cached = '{ tool: y, effect: read, cache: { for: 1h, key: =a.id } }'
    expect(readFieldsOf(planOf(`steps:\n  - a: { tool: x }\n  - b: ${map}\n  - c: ${cached}\n`))).toEqual({
      a: [['id'], ['key'], ['list']],
    })
  })
})
