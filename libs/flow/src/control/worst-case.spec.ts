import { describe, expect, it } from '@jest/globals'
import { createReport } from '../diagnostic.ts'
import { checkTimes } from './times.ts'
import { codesOf, treeOf } from './reading.fixture.ts'
import { worstCase } from './worst-case.ts'

const timeOf = (text: string): number => worstCase(treeOf(text)).timeMs
const found = (text: string): readonly string[] => codesOf((report) => checkTimes(treeOf(text), report))
const TRIES = 'retry: { attempts: 3, backoff: fixed, delay: 100ms }'

describe('the worst case of a flow', () => {
  it.each([
    ['steps one after the other', 'steps:\n  - a: { tool: x, timeout: 2s }\n  - b: { tool: y, timeout: 3s }\n', 5_000],
    ['tries and the pauses between them', `steps:\n  - a: { tool: x, timeout: 2s, ${TRIES} }\n`, 6_200],
    [
      'pauses that grow up to their longest',
      'steps:\n  - a: { tool: x, timeout: 1s, retry: { attempts: 5, backoff: exponential, delay: 1s, maxDelay: 3s } }\n',
      5_000 + 1_000 + 2_000 + 3_000 + 3_000,
    ],
    ['one try of several models shares its time', 'steps:\n  - a: { model: [m, n], prompt: hi, timeout: 4s }\n', 4_000],
    [
      'a gate that asks again',
      'steps:\n  - a: { prompt: hi, timeout: 2s, gate: [{ when: it != "", then: next }, { when: true, then: { retry: { attempts: 2 } } }, { else: fail }] }\n',
      6_000,
    ],
    [
      'the longest case of a switch',
      'input: { k: a | b }\nsteps:\n  - s: { switch: =input.k, cases: { a: { tool: x, timeout: 2s }, b: { tool: y, timeout: 7s } } }\n  - t: { tool: z, timeout: 1s }\n',
      8_000,
    ],
    [
      'a jump saves what it jumps over, which is not the worst',
      'steps:\n  - a: { tool: x, timeout: 1s, gate: [{ when: it.n > 1, then: c }, { else: next }] }\n  - b: { tool: y, timeout: 5s }\n  - c: { tool: z, timeout: 1s }\n',
      7_000,
    ],
    [
      'a handler runs after all tries',
      `steps:\n  - a: { tool: x, timeout: 2s, ${TRIES}, onError: { tool: y, timeout: 3s, then: next } }\n  - b: { tool: z, timeout: 1s }\n`,
      10_200,
    ],
    [
      'bodies tried one after the other',
      'steps:\n  - a: { tool: x, timeout: 2s, failover: [{ tool: y, timeout: 3s }, { tool: z, timeout: 4s }] }\n',
      9_000,
    ],
    ['branches side by side', 'steps:\n  - p: { parallel: { a: { tool: x, timeout: 2s }, b: { tool: y, timeout: 5s } } }\n', 5_000],
    [
      'items in rounds of as many as run at once',
      'input: { items: "string[]" }\nsteps:\n  - m: { map: =input.items, max: 20, concurrency: 8, each: { tool: x, timeout: 2s } }\n',
      6_000,
    ],
    ['rounds of a loop', 'steps:\n  - l: { loop: { max: 4, until: it.ok }, do: [{ a: { tool: x, timeout: 2s } }] }\n', 8_000],
    [
      'a timeout around others',
      'steps:\n  - p: { timeout: 3s, parallel: { a: { tool: x, timeout: 2s }, b: { tool: y, timeout: 5s } } }\n',
      3_000,
    ],
    [
      'voters side by side, then the judge',
      'steps:\n  - v: { vote: { voters: [{ tool: x, timeout: 2s }, { tool: y, timeout: 5s }], rule: judge, judge: { tool: z, timeout: 1s } } }\n',
      6_000,
    ],
  ])('counts %s', (_title, text, timeMs) => {
    expect(timeOf(text)).toBe(timeMs)
  })

  it('W1: names what states no time, and leaves it out', () => {
    const worst = worstCase(treeOf('steps:\n  - a: hi\n  - b: { tool: x, timeout: 1s }\n  - c: { set: 1 }\n'))
    expect(worst.timeMs).toBe(1_000)
    expect(worst.untimed.map(({ id }) => id)).toEqual(['a'])
  })

  it('W2: people and waits use up the wall clock only', () => {
    const worst = worstCase(
      treeOf('steps:\n  - a: { human: { queue: q, sla: 2h } }\n  - w: { wait: 10m }\n  - b: { tool: x, timeout: 1s }\n'),
    )
    expect(worst).toMatchObject({ timeMs: 1_000, totalMs: 2 * 3_600_000 + 600_000 + 1_000 })
  })

  it('gives each end of a run with the longest way to it', () => {
    const text =
      'steps:\n  - a: { tool: x, timeout: 1s, gate: [{ when: it.n > 1, then: end }, { when: it.n > 0, then: fail }, { else: next }] }\n  - b: { tool: y, timeout: 2s }\n'
    const ends = worstCase(treeOf(text)).paths.map(({ how, step, timeMs, path }) => [
      how,
      step?.id,
      timeMs,
      path.map((at) => at.step.id).join(' '),
    ])
    expect(ends).toEqual([
      ['end', 'a', 1_000, 'a'],
      ['fail', 'a', 1_000, 'a'],
      ['complete', undefined, 3_000, 'a b'],
    ])
  })

  it('adds up budgets, once for every item and every branch', () => {
    const text =
      'input: { items: "string[]" }\nsteps:\n  - m: { map: =input.items, max: 10, each: { prompt: hi, budget: 0.01 USD } }\n  - p: { parallel: { a: { prompt: hi, budget: 0.02 USD }, b: { prompt: hi, budget: 0.03 USD } } }\n'
    expect(worstCase(treeOf(text)).costMicroUsd).toBe(150_000)
  })

  it('does not know the cost when a model has no budget', () => {
    const worst = worstCase(treeOf('steps:\n  - a: { prompt: hi, budget: 0.01 USD }\n  - b: hi\n'))
    expect(worst).toMatchObject({ costMicroUsd: undefined, statedMicroUsd: 10_000 })
    expect(worst.uncosted.map(({ id }) => id)).toEqual(['b'])
  })
})

describe('times and budgets beyond the flow', () => {
  it.each([
    [
      'the time of an agent',
      'limits: { time: 5s }\nagents: { h: { model: m, prompt: hi, limits: { turns: 3, time: 9s } } }\nsteps:\n  - a: { agent: h }\n',
      ['4:5 time.exceeds_flow'],
    ],
    ['a hedge', 'limits: { time: 5s }\nsteps:\n  - a: { prompt: x, hedge: 6s }\n', ['3:5 time.exceeds_flow']],
    ['a hedge after the try is over', 'steps:\n  - a: { prompt: x, timeout: 2s, hedge: 2s }\n', ['2:5 time.exceeds_flow']],
    ['a pause', 'limits: { time: 5s }\nsteps:\n  - a: { tool: x, retry: { attempts: 2, delay: 10s } }\n', ['3:5 time.exceeds_flow']],
    [
      'a chain',
      'limits: { time: 5s }\nsteps:\n  - a: { tool: x, timeout: 3s }\n  - b: { tool: y, timeout: 3s }\n',
      ['4:5 time.chain_exceeds_flow'],
    ],
    ['the tries of one step', `limits: { time: 5s }\nsteps:\n  - a: { tool: x, timeout: 2s, ${TRIES} }\n`, ['3:5 time.chain_exceeds_flow']],
    [
      'people one after the other',
      'limits: { total: 3h }\nsteps:\n  - a: { human: { queue: q, sla: 2h } }\n  - b: { human: { queue: q, sla: 2h } }\n',
      ['4:5 time.chain_exceeds_flow'],
    ],
    ['budgets', 'limits: { cost: 0.01 USD }\nsteps:\n  - a: { prompt: hi, budget: 0.02 USD }\n', ['1:1 cost.exceeds_flow']],
  ])('%s', (_title, text, codes) => {
    expect(found(text)).toEqual(codes)
  })

  it.each([
    [
      'a wait or an event that is too long by itself, which is found with the limits',
      'limits: { total: 1d }\nsteps:\n  - w: { wait: 2d }\n',
    ],
    ['an event without a time of its own', 'steps:\n  - w: { wait: { event: e } }\n  - a: { tool: x, timeout: 3s }\n'],
    ['a chain that fits', 'limits: { time: 6s }\nsteps:\n  - a: { tool: x, timeout: 3s }\n  - b: { tool: y, timeout: 3s }\n'],
    [
      'alternatives that each fit',
      'limits: { time: 6s }\ninput: { k: a | b }\nsteps:\n  - s: { switch: =input.k, cases: { a: { tool: x, timeout: 5s }, b: { tool: y, timeout: 6s } } }\n',
    ],
    [
      'a map that does not say how many',
      'limits: { time: 6s }\ninput: { items: "string[]" }\nsteps:\n  - m: { map: =input.items, each: { tool: x, timeout: 5s } }\n',
    ],
    ['a person, who stops the clock', 'limits: { time: 5s }\nsteps:\n  - a: { human: { queue: q, sla: 2h } }\n'],
    ['steps that state no time', 'limits: { time: 1s }\nsteps:\n  - a: hi\n  - b: hi\n'],
  ])('but not %s', (_title, text) => {
    expect(found(text)).toEqual([])
  })

  it('says how long it may take, and what to write', () => {
    const report = createReport()
    checkTimes(treeOf('limits: { time: 5s }\nsteps:\n  - a: { tool: x, timeout: 3s }\n  - b: { tool: y, timeout: 3s }\n'), report)
    expect(report.list()[0]).toMatchObject({ severity: 'warning', fix: 'limits: { time: 6s }, or fewer attempts or shorter timeouts' })
    expect(report.list()[0]?.message).toBe(
      'tries, pauses and handlers up to "b" may take 6s, longer than limits.time (5s); the whole flow 6s',
    )
  })
})
