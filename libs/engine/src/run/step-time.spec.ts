import { describe, expect, it } from '@jest/globals'
import {
  askedFor,
  at,
  completed,
  given,
  inWords,
  paused,
  play,
  programOf,
  requested,
  resultIn,
  resumed,
  woken,
  type Step,
} from '../testing.ts'

const start = requested({}, { engineVersion: 3 })
const fork = programOf(`limits: { time: 1h, total: 2h }
steps:
  - a: { parallel: { x: { tool: x }, y: { human: { queue: q, sla: 1h } } }, timeout: 10s, onTimeout: { set: late } }
`)
const due = (atMs: number): Step => at(atMs, woken())

describe('the time of a step that is made of others (F3)', () => {
  it('step-time/T1: it fails when its time is over, and nothing of it is open', () => {
    const over = given(fork, start, at(5_000, completed('a/x/1', 1))).when(due(10_000))
    expect(over.outputs.map(inWords)).toEqual(expect.arrayContaining(['withdraw a/y/1', 'failed a/1 step.timed_out']))
    expect(resultIn(over.outputs)?.result).toMatchObject({ status: 'completed', output: 'late' })
  })

  it('step-time/T1: what is asked for inside it has no more time than it', () => {
    const { outputs } = given(fork, start)
    const begunAtMs = 1_700_000_000_000
    expect(askedFor(outputs, 'a/x')?.deadlineMs).toBe(begunAtMs + 10_000)
    expect(askedFor(outputs, 'a/y')?.deadlineMs).toBe(begunAtMs + 10_000)
  })

  it('R4: the run is woken at the end of it', () => {
    expect(given(fork, start).state).toMatchObject({ wakeAtMs: 1_700_000_000_000 + 10_000 })
  })

  it('step-time/T2: a pause does not stop it; what follows waits for the run to be resumed', () => {
    const over = given(fork, start, at(4_000, paused())).when(due(10_000))
    expect(over.outputs.map(inWords)).toContain('failed a/1 step.timed_out')
    expect(resultIn(over.outputs)).toBeUndefined()
    expect(resultIn(given(fork, start, at(4_000, paused()), due(10_000)).when(at(20_000, resumed())).outputs)?.result.output).toBe('late')
  })

  it('step-time/T3: what stands in for it has its own time', () => {
    const other = programOf(`limits: { time: 1h, total: 2h }
steps:
  - a: { map: =input.items, each: { tool: x }, timeout: 10s, failover: { tool: y } }
`)
    const history = [requested({ items: [1, 2] }, { engineVersion: 3 }), due(10_000)]
    const later = given(other, ...history).when(due(19_000))
    expect(resultIn(later.outputs)).toBeUndefined()
    expect(resultIn(play(other, [...history, at(20_000, completed('a/failover[0]/1', 'so'))]).outputs)?.result.output).toBe('so')
  })

  it('the gate of the step is not held to it: its work is done', () => {
    const gated = programOf(`limits: { time: 1h, total: 2h }
steps:
  - a: { parallel: { x: { tool: x } }, timeout: 10s, gate: [{ else: { human: { queue: q, sla: 1h } } }] }
`)
    const waits = given(gated, start, at(5_000, completed('a/x/1', 1))).when(due(11_000))
    expect(waits.outputs.map(inWords)).toEqual([])
  })

  it('L8: a flow it started is told to stop', () => {
    const child = programOf('limits: { time: 1h, total: 2h }\nsteps:\n  - a: { flow: shop/child, timeout: 10s }\n')
    const pin = { flow: 'shop/child', version: '1.0.0', planHash: '1'.repeat(64), params: {} }
    const over = given(child, requested({}, { engineVersion: 3, flows: { 'shop/child': pin } })).when(due(10_000))
    expect(over.outputs.map(inWords).filter((word) => word.startsWith('append run.cancel'))).toHaveLength(1)
    expect(resultIn(over.outputs)?.result.fault).toMatchObject({ code: 'step.timed_out' })
  })

  it('R1: runs of earlier engines go on without it', () => {
    const old = given(fork, requested({}, { engineVersion: 2 })).when(due(10_000))
    expect(old.outputs.map(inWords)).toEqual([])
  })
})
