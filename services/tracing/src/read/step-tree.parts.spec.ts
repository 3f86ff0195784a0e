import { describe, expect, it } from '@jest/globals'
import type { StepState } from './step-attempts.policy.ts'
import { nodeAt, pageOf } from './step-page.policy.ts'
import { stepTree, type StepNode } from './step-tree.policy.ts'

let seq = 0
const state = (path: string, more: Partial<StepState> = {}): StepState => {
  seq += 1
  return {
    path,
    attempt: 1,
    seq,
    kind: 'model',
    status: 'completed',
    atMs: seq,
    dispatchedAtMs: seq - 1,
    latencyMs: 1,
    details: { costUsd: 0.001, error: null },
    ...more,
  }
}
const opened = (path: string, kind: string, details: StepState['details'] = {}): StepState =>
  state(path, {
    status: 'opened',
    kind,
    attempt: 0,
    dispatchedAtMs: null,
    latencyMs: null,
    details: { costUsd: 0, error: null, ...details },
  })
const closed = (path: string, kind: string): StepState => state(path, { kind, details: { costUsd: 0, error: null } })
const asked = (path: string): StepState => state(path, { status: 'dispatched', latencyMs: null, details: { costUsd: 0, error: null } })
const shape = (nodes: readonly StepNode[]): readonly unknown[] =>
  nodes.map(({ path, kind, children }) => [`${path} ${kind}`, ...shape(children)])

describe('steps made of others', () => {
  it('T2: branches, items, rounds, turns and calls hang under their step', () => {
    const states = [
      opened('signals', 'parallel'),
      state('signals/unsafe'),
      closed('signals', 'parallel'),
      opened('findings', 'map'),
      state('findings[17]/ballot'),
      closed('findings', 'map'),
      opened('edited', 'loop'),
      state('edited[3]/text'),
      opened('clerk', 'agent'),
      state('clerk/turn[2]'),
      state('clerk/turn[2]/call[0]', { kind: 'tool' }),
    ]
    expect(shape(stepTree(states, [], { ended: false }))).toEqual([
      ['signals parallel', ['signals/unsafe model']],
      ['findings map', ['findings[17] item', ['findings[17]/ballot model']]],
      ['edited loop', ['edited[3] round', ['edited[3]/text model']]],
      ['clerk agent', ['clerk/turn[2] model', ['clerk/turn[2]/call[0] tool']]],
    ])
  })

  it('T6: a composed step takes from when it was opened to its end, and keeps what it said', () => {
    const [node] = stepTree([opened('findings', 'map', { parts: 2 }), state('findings[0]/x'), closed('findings', 'map')], [], {
      ended: true,
    })
    expect(node).toMatchObject({ status: 'completed', totalMs: 2, parts: 2, attempt: 1, earlier: [] })
    expect(stepTree([opened('paid', 'event', { event: 'payment' })], [], { ended: false })).toMatchObject([
      { status: 'opened', event: 'payment', endMs: null },
    ])
  })

  it('T7: what is open when the step around it ends was given up, what is asked for later was not', () => {
    const lost = asked('race/slow')
    const [race, check] = stepTree([opened('race', 'parallel'), lost, state('race/fast'), closed('race', 'parallel'), asked('check')], [], {
      ended: false,
    })
    expect(race?.children).toMatchObject([{ status: 'abandoned' }, { status: 'completed' }])
    expect(race?.counts).toEqual({ abandoned: 1, completed: 1 })
    expect(check?.status).toBe('dispatched')
  })

  it('T4: sums count each step once, earlier attempts and runs that steps started included', () => {
    const states = [
      opened('all', 'parallel'),
      state('all/a', { status: 'failed', latencyMs: 10 }),
      state('all/a', { attempt: 2, latencyMs: 20 }),
      state('all/ask', { kind: 'human', latencyMs: 500, details: { costUsd: 0, error: null } }),
      opened('all/sub', 'flow', { childRunId: 'run_2' }),
      closed('all/sub', 'flow'),
      state('all', { kind: 'parallel', details: { costUsd: 0.005, error: null } }),
    ]
    const [node] = stepTree(states, [], { ended: true, runCostUsd: (runId) => (runId === 'run_2' ? 0.003 : 0) })
    expect(node?.sum).toEqual({ steps: 3, failed: 1, costUsd: 0.005, workMs: 30, waitMs: 500 })
  })

  it('an undo is as far as its steps are: nobody tells its end', () => {
    const states = [
      opened('undo/charge', 'undo'),
      state('undo/charge/refund', { kind: 'tool', status: 'failed' }),
      opened('undo/hold', 'undo'),
    ]
    const [undo] = stepTree(states, [], { ended: true })
    expect(undo).toMatchObject({ path: 'undo', kind: 'undo', children: [{ kind: 'undo', status: 'failed' }, { kind: 'undo' }] })
  })
})

describe('a page of a tree', () => {
  const items = (count: number): readonly StepNode[] => {
    const states = Array.from({ length: count }, (_, n) =>
      state(`list[${n}]/x`, { status: n % 100 === 7 ? 'failed' : 'completed', dispatchedAtMs: 0, atMs: n }),
    )
    return stepTree([opened('list', 'map', { parts: count }), ...states], [], { ended: false })
  }

  it('N1, N2: a large level is counted; failed ones and then the slowest come first, and the rest page by page', () => {
    const tree = items(1_000)
    const { nodes } = pageOf(tree, { levelMax: 200, nodesMax: 2_000 })
    const [list] = nodes
    expect(list?.counts).toEqual({ failed: 10, completed: 990 })
    expect(list?.children.slice(0, 12).map(({ path }) => path)).toEqual([
      ...Array.from({ length: 10 }, (_, n) => `list[${907 - n * 100}]`),
      'list[999]',
      'list[998]',
    ])
    expect(list?.more).toEqual({ hidden: 800, after: 200 })
    const seen = new Set<string>()
    for (let after = 0; after < 1_000; after += 200) {
      const page = pageOf(nodeAt(tree, 'list')?.children ?? [], { levelMax: 200, nodesMax: 2_000, after })
      for (const { path } of page.nodes) seen.add(path)
      expect(page.more).toEqual(after === 800 ? undefined : { hidden: 800 - after, after: after + 200 })
    }
    expect(seen.size).toBe(1_000)
  })

  it('N3: the whole is bounded, what is above before what is below', () => {
    const page = pageOf(items(300), { levelMax: 200, nodesMax: 250 })
    const [list] = page.nodes
    const shown = list?.children ?? []
    expect(shown).toHaveLength(200)
    expect(shown.reduce((sum, { children }) => sum + children.length, 0)).toBe(49)
    expect(shown.at(-1)).toMatchObject({ children: [], more: { hidden: 1, after: 0 } })
  })

  it('nodeAt finds a place however deep, and none that is not there', () => {
    const tree = items(3)
    expect(nodeAt(tree, 'list[1]/x')?.path).toBe('list[1]/x')
    expect(nodeAt(tree, 'list[9]')).toBeUndefined()
  })
})
