import { describe, expect, it } from '@jest/globals'
import { loadProgram, refuseLater } from './load.ts'
import { toMermaid } from './mermaid.ts'
import { readFieldsOf } from './reads.ts'
import { planOf } from './testing/compiled.ts'
import { EVERYTHING } from './testing/everything.ts'

const plan = planOf(EVERYTHING)

describe('what the engine cannot run yet', () => {
  it('stands apart: a block names it, the nodes do not hold it', () => {
    const ids = new Set(plan.blocks.flat())
    expect([...ids].filter((id) => plan.nodes[id] === undefined && plan.later?.[id] === undefined)).toEqual([])
    expect(Object.keys(plan.later ?? {}).filter((id) => plan.nodes[id] !== undefined)).toEqual([])
    expect(Object.keys(plan.later ?? {}).filter((id) => !ids.has(id))).toEqual([
      '$agents',
      '$buffers',
      '$history',
      '$limits',
      '$triggers',
      '$onLimit',
    ])
  })

  it('is never run: loading the plan names the steps and their kinds', () => {
    expect(() => loadProgram(plan)).toThrow(
      expect.objectContaining({
        code: 'flow.unsupported',
        message: expect.stringContaining('signals (parallel), summaries (map)'),
      }),
    )
    expect(() => refuseLater(planOf('triggers: [{ every: 1h }]\nsteps:\n  - a: { tool: x, cache: 10m }\n'))).toThrow(
      'local/f is right, but this version does not run a (tool, cache), triggers yet',
    )
  })

  it('is absent from the plan of a flow that needs none of it', () => {
    expect(planOf('steps:\n  - a: hi\n')).not.toHaveProperty('later')
  })

  it('is drawn: a shape for each kind, an arrow for each branch, voter, round and outcome', () => {
    const chart = toMermaid(plan)
    for (const line of [
      'n1[["signals<br/><small>join quorum 2</small>"]]',
      'n6(["paid<br/><small>wait for payment/confirmed</small>"])',
      'n9{{"asked<br/><small>agent clerk</small>"}}',
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

  it('are seen in what runs later as well', () => {
    expect(readFieldsOf(planOf('steps:\n  - a: { tool: x }\n  - b: { map: =a.list, each: { set: { n: =item.n, k: =a.key } } }\n'))).toEqual(
      { a: [['key'], ['list']] },
    )
  })
})
