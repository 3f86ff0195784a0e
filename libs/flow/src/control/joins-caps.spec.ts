import { describe, expect, it } from '@jest/globals'
import { checkCaps } from './caps.ts'
import { checkJoins } from './joins.ts'
import { codesOf, treeOf } from './reading.fixture.ts'

const joins = (text: string): readonly string[] => codesOf((report) => checkJoins(treeOf(text), report))
const caps = (text: string): readonly string[] => codesOf((report) => checkCaps(treeOf(text), report))
const parallel = (rest: string): string => `steps:\n  - p:\n      parallel: { a: { tool: x }, b: { tool: y } }\n${rest}`
const ENDS = '{ tool: z, gate: [{ when: it.n > 1, then: end }, { else: fail }] }'

describe('joins that can never be complete', () => {
  it.each([
    ['more than there are', parallel('      join: { quorum: 3 }\n'), ['2:5 join.impossible']],
    ['the first of one', 'steps:\n  - p: { parallel: { a: { tool: x } }, join: first }\n', ['2:5 join.impossible']],
    ['any of one', 'steps:\n  - p: { parallel: { a: { tool: x } }, join: any }\n', ['2:5 join.impossible']],
    [
      'a branch that always ends the run',
      `steps:\n  - p:\n      parallel:\n        a: { tool: x }\n        b: ${ENDS}\n`,
      ['5:9 join.impossible'],
    ],
    [
      'a branch that ends the run further in',
      `steps:\n  - p:\n      parallel:\n        a: { tool: x }\n        b: [{ c: { loop: { max: 2 }, do: [{ d: ${ENDS} }] } }]\n`,
      ['5:9 join.impossible'],
    ],
    [
      'items that always end the run',
      `input: { items: "string[]" }\nsteps:\n  - m:\n      map: =input.items\n      each: ${ENDS}\n`,
      ['5:13 join.impossible'],
    ],
  ])('%s', (_title, text, codes) => {
    expect(joins(text)).toEqual(codes)
  })

  it.each([
    ['all of them', parallel('')],
    ['as many as there are', parallel('      join: { quorum: 2 }\n')],
    ['the first of two', parallel('      join: first\n')],
    ['all of one', 'steps:\n  - p: { parallel: { a: { tool: x } } }\n'],
    [
      'a branch that may end the run',
      'steps:\n  - p: { parallel: { a: { tool: x }, b: { tool: z, gate: [{ when: it.n > 1, then: end }, { else: next }] } } }\n',
    ],
  ])('but not %s', (_title, text) => {
    expect(joins(text)).toEqual([])
  })
})

const agent = (rest: string): string => `agents:\n  helper: { model: m, prompt: hi, tools: [t]${rest} }\nsteps:\n  - a: { agent: helper }\n`
const team = (limits: string, agentLimits = ', limits: { turns: 3 }'): string =>
  `agents:\n  p: { model: m, prompt: hi${agentLimits} }\nsteps:\n  - t:\n      team: { planner: p, workers: [p], synthesis: p${limits} }\n`

describe('what goes round without an end', () => {
  it.each([
    ['a loop', 'steps:\n  - l: { loop: { until: it.ok }, do: [{ a: { tool: x } }] }\n', ['2:5 cap.missing']],
    ['an agent', agent(''), ['2:11 cap.missing']],
    ['an agent with a time only', agent(', limits: { time: 10s }'), ['2:55 cap.missing']],
    [
      'an agent another hands over to',
      `agents:\n  helper: { model: m, prompt: hi, limits: { turns: 3 }, handoff: [other] }\n  other: { model: m, prompt: hi }\nsteps:\n  - a: { agent: helper }\n`,
      ['3:10 cap.missing'],
    ],
    ['a team', team(''), ['4:5 cap.missing']],
    ['the agents of a team with rounds only', team(', limits: { rounds: 2 }', ''), ['2:6 cap.missing']],
  ])('%s', (_title, text, codes) => {
    expect(caps(text)).toEqual(codes)
  })

  it.each([
    ['a loop with a maximum', 'steps:\n  - l: { loop: { max: 3, until: it.ok }, do: [{ a: { tool: x } }] }\n'],
    ['an agent with turns', agent(', limits: { turns: 4 }')],
    ['an agent with a cost', agent(', limits: { cost: 0.05 USD }')],
    [
      'an agent limited where it is used',
      `agents:\n  helper: { model: m, prompt: hi }\nsteps:\n  - a: { agent: helper, limits: { calls: 4 } }\n`,
    ],
    ['an agent nobody uses', 'agents:\n  helper: { model: m, prompt: hi }\nsteps:\n  - a: hi\n'],
    ['a team with rounds', team(', limits: { rounds: 2 }')],
    ['a team with tokens, which bound its agents', team(', limits: { tokens: 20k }', '')],
    ['a retry, which has three attempts where it says nothing', 'steps:\n  - a: { tool: x, retry: { backoff: fixed } }\n'],
    [
      'a map, which has a maximum where it says nothing',
      'input: { items: "string[]" }\nsteps:\n  - m: { map: =input.items, each: { tool: x } }\n',
    ],
  ])('but not %s', (_title, text) => {
    expect(caps(text)).toEqual([])
  })
})
