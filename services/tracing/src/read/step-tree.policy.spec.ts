import { describe, expect, it } from '@jest/globals'
import type { StepDetails, StepState } from './step-attempts.policy.ts'
import { stepTree, type StepNode } from './step-tree.policy.ts'

const details: StepDetails = { node: 'n', by: 'model:m', model: 'm', confidence: 0.9, tries: 1, costUsd: 0, error: null }
const ended = (path: string, seq: number, [startMs, endMs]: readonly [number, number], more: Partial<StepState> = {}): StepState => ({
  path,
  attempt: 1,
  seq,
  kind: 'model',
  status: 'completed',
  atMs: endMs,
  dispatchedAtMs: startMs,
  latencyMs: endMs - startMs - 1,
  details,
  ...more,
})
const open = (path: string, seq: number, atMs: number, more: Partial<StepState> = {}): StepState =>
  ended(path, seq, [atMs, atMs], { status: 'dispatched', latencyMs: null, ...more })
const shape = (nodes: readonly StepNode[]): readonly unknown[] =>
  nodes.map(({ path, critical, children }) => [critical ? `${path}*` : path, ...shape(children)])

describe('step tree', () => {
  it('T2, T3: hangs places by their paths, and marks the critical path on every level', () => {
    const states = [
      ended('split', 1, [0, 0], { kind: 'set' }),
      ended('split/slow/a', 3, [0, 40]),
      ended('split/slow/b', 5, [40, 90]),
      ended('split/fast', 2, [0, 20]),
      ended('join', 6, [90, 95]),
    ]
    expect(shape(stepTree(states, [], { ended: true }))).toEqual([
      ['split*', ['split/fast'], ['split/slow*', ['split/slow/a*'], ['split/slow/b*']]],
      ['join*'],
    ])
  })

  it('T2: a parent that is no step is a group from its first start to its last end', () => {
    const [group] = stepTree([ended('map[0]/x', 1, [5, 10]), ended('map[0]/y', 2, [7, 30])], [], { ended: true })
    expect(group).toMatchObject({ path: 'map[0]', kind: 'group', startMs: 5, endMs: 30, totalMs: 25 })
  })

  it('T1: the newest attempt speaks, the earlier ones are listed', () => {
    const states = [ended('a', 2, [0, 10], { status: 'failed' }), ended('a', 4, [10, 15], { attempt: 2 })]
    const [node] = stepTree(states, [], { ended: true })
    expect(node).toMatchObject({ attempt: 2, status: 'completed', earlier: [{ attempt: 1, status: 'failed' }] })
  })

  it('T5: an open state counts until the end of its attempt is known, and keeps the time of its dispatch', () => {
    const waiting = open('a', 2, 8, { status: 'waiting', dispatchedAtMs: null })
    expect(stepTree([open('a', 1, 3), waiting], [], { ended: false })).toMatchObject([
      { status: 'waiting', startMs: 3, endMs: null, critical: true },
    ])
    expect(stepTree([open('a', 1, 3), waiting, ended('a', 3, [3, 20])], [], { ended: false })).toMatchObject([
      { status: 'completed', totalMs: 17, waitedMs: 1 },
    ])
  })

  it('T7: what is open when the run is over was given up, and delays nothing', () => {
    expect(stepTree([open('a', 1, 3), ended('b', 2, [3, 9])], [], { ended: true })).toMatchObject([
      { path: 'a', status: 'abandoned', critical: false },
      { path: 'b', critical: true },
    ])
  })

  it('decisions stand at their place: a switch is a node, a gate says what it chose at its step', () => {
    const decisions = [
      { path: 'route', atMs: 10, seq: 2, kind: 'switch', chosen: 'refund' },
      { path: 'answer', atMs: 30, seq: 5, kind: 'gate', chosen: 'rule 2' },
    ]
    expect(stepTree([ended('answer', 4, [10, 30])], decisions, { ended: true })).toMatchObject([
      { path: 'route', kind: 'switch', status: 'completed', chosen: 'refund' },
      { path: 'answer', kind: 'model', chosen: 'rule 2' },
    ])
  })
})
