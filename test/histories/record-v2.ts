// The golden histories of engine version 2, one for each kind of step and each way to control a run.
import type { MessageOf } from '@baton/contracts'
import type { LogMessage } from '@baton/engine'
import {
  at,
  cancelled,
  completed,
  continued,
  decided,
  failed,
  happened,
  patched,
  paused,
  programOf,
  requested,
  resumed,
  reviewExpired,
  START_MS,
  turned,
  woken,
  type Step,
} from '@baton/engine/testing'
import { writeHistories, type History } from './write.ts'
import { PARALLEL, MAP, WIDE, VOTE, LOOP, WAITS, UNDO, FLOW, CHILD, AGENT, TEAM, CONTROL, BUDGET } from './flows-v2.ts'

const VERSION = 2
const run = (input: Parameters<typeof requested>[0] = {}, more: Partial<MessageOf<'run.requested'>> = {}): LogMessage =>
  requested(input, { engineVersion: VERSION, ...more })

const clerk = 'a/turn[1]/1'
const says = (path: string, output: Parameters<typeof turned>[2]): Step => turned(`report/${path}/turn[1]/1`, { calls: [] }, output)
const { plan: childPlan } = programOf(CHILD)
const pins = { flows: { 'support/refund@stable': { flow: 'support/refund', version: '1.0.0', planHash: childPlan.hash, params: {} } } }
const use = { workedMs: 20, steps: 1, tokens: 3, calls: 1, costMicroUsd: 30 }
const REUSED = { runId: 'run_0', from: 'two', steps: { one: { output: 1, by: 'tool:x/one' } } }
const many = Array.from({ length: 200 }, (_, index) => index)
const taskOf = (kind: 'documents' | 'numbers', text: string) => ({ kind, text })

const HISTORIES: Readonly<Record<string, History>> = {
  'parallel-all': {
    flow: PARALLEL('onFailure: collect'),
    steps: [
      run(),
      completed('all/b/b1/1', { v: 1 }),
      failed('all/a/1'),
      at(60_000, decided('all/c/1', 'edit', { ok: true })),
      completed('all/b/b2/1', 2),
      completed('last/1'),
    ],
  },
  'parallel-first': {
    flow: PARALLEL('join: first'),
    steps: [
      run(),
      failed('all/a/1'),
      completed('all/b/b1/1', { v: 1 }),
      completed('all/b/b2/1', 2),
      decided('all/c/1', 'approve'),
      completed('last/1'),
    ],
  },
  'parallel-quorum-impossible': {
    flow: PARALLEL('join: { quorum: 3 }'),
    steps: [run(), completed('all/b/b1/1', 1), failed('all/a/1'), completed('all/b/b2/1', 2)],
  },
  'map-in-chunks': {
    flow: MAP,
    steps: [
      run({ items: [5, 6, 7, 8, 9] }),
      completed('out[2]/one/1', { v: 1 }),
      completed('out[0]/one/1', { v: 2 }),
      failed('out[1]/one/1'),
      completed('out[3]/one/1', { v: 3 }),
      completed('out[4]/one/1', { v: 4 }),
    ],
  },
  'map-wider-than-a-record': {
    flow: WIDE,
    steps: [run({ items: many }), completed('out[0]/1', 1), continued(255), completed('out[199]/1', 2), failed('out[7]/1')],
  },
  vote: {
    flow: VOTE,
    steps: [
      run(),
      completed('safe/voter[1]/1', { verdict: 'yes' }),
      completed('safe/voter[0]/1', { verdict: 'yes' }),
      completed('best/voter[0]/1', { text: 'a' }),
      failed('best/voter[1]/1'),
      completed('best/judge/1', { text: 'a' }),
      completed('safe/voter[2]/1', { verdict: 'no' }),
    ],
  },
  'vote-tie': {
    flow: VOTE,
    steps: [
      run(),
      completed('safe/voter[1]/1', { verdict: 'yes' }),
      failed('safe/voter[0]/1'),
      completed('safe/voter[2]/1', { verdict: 'no' }),
      reviewExpired('safe/tie/1'),
    ],
  },
  loop: { flow: LOOP, steps: [run(), completed('text[0]/edit/1', { score: 0.1 }), completed('text[1]/edit/1', { score: 0.9 })] },
  'loop-at-its-limit': { flow: LOOP, steps: [run(), ...[0, 1, 2].map((round) => completed(`text[${round}]/edit/1`, { score: 0.1 }))] },
  waits: {
    flow: WAITS,
    steps: [
      run({ order: 'o' }),
      happened('payment/confirmed', { order: 'other', amount: 1 }, 'e1'),
      at(10_800_000, woken()),
      happened('payment/confirmed', { order: 'o', amount: 2 }, 'e2'),
      happened('payment/confirmed', { order: 'o', amount: 2 }, 'e2'),
      at(200_000_000, woken()),
    ],
  },
  'event-in-vain': {
    flow: WAITS,
    steps: [run({ order: 'o' }), at(10_800_000, woken()), at(200_000_000, woken()), happened('payment/second', {}, 'e3')],
  },
  undo: {
    flow: UNDO,
    steps: [
      run(),
      completed('room/1', { n: 0.1 }),
      completed('room/2', { n: 0.9 }),
      completed('seat/1', { id: 's' }),
      failed('paid/1'),
      failed('paid/failover[0]/1'),
      completed('undo/seat/1'),
      failed('undo/room/1'),
      completed('undo/room/2'),
    ],
  },
  'flow-in-a-flow': {
    flow: FLOW,
    steps: [
      run({}, pins),
      completed('one/1', null, { costMicroUsd: 100 }),
      completed('refund/1', { paid: true }, { by: 'flow:support/refund', child: use }),
    ],
  },
  'flow-in-a-flow-called-off': {
    flow: FLOW,
    steps: [run({}, pins), completed('one/1'), paused(), resumed(), cancelled(), failed('refund/1', 'run.cancelled')],
  },
  'flow-as-a-child': {
    flow: CHILD,
    steps: [
      run(
        { order: 'T-1' },
        {
          parent: { runId: 'run_0', attemptId: 'run_0/refund/1', path: 'refund' },
          rootRunId: 'run_0',
          effectBase: 'run_0/refund/1',
          limits: { timeMs: 10_000, steps: 4, depth: 1 },
        },
      ),
      completed('pay/1', { paid: true }, { costMicroUsd: 30 }),
      cancelled(),
    ],
  },
  agent: {
    flow: AGENT,
    steps: [
      run({ kind: 'refund' }),
      turned(clerk, {
        calls: [
          { id: 'c1', tool: 'shop/find', arguments: { q: 'x' } },
          { id: 'c2', tool: 'shop/none', arguments: {} },
        ],
      }),
      failed('a/turn[1]/call[0]/1'),
      turned('a/turn[2]/1', { calls: [] }, { text: 'done' }),
    ],
  },
  'agent-hands-over': {
    flow: AGENT,
    steps: [
      run({ kind: 'refund' }),
      turned(clerk, { calls: [{ id: 'h', tool: 'handoff/expert', arguments: { task: 'look' } }] }),
      turned('a/turn[2]/1', { calls: [] }, { text: 'maybe', confidence: 0.9 }),
      turned('a/check[2]/1', { calls: [], confidence: 0.2 }, { text: 'maybe', confidence: 0.2 }),
      at(60_000, decided('a/agents/expert/fallback/1', 'edit', { text: 'by a person', confidence: 1 })),
    ],
  },
  team: {
    flow: TEAM,
    steps: [
      run(),
      says('plan[1]', { tasks: [taskOf('documents', 'd1'), taskOf('numbers', 'n1'), taskOf('documents', 'd2')] }),
      says('task[1]', { fact: 1 }),
      failed('report/task[0]/turn[1]/1'),
      says('task[2]', { fact: 2 }),
      says('plan[2]', { tasks: [] }),
      says('synthesis', { text: 'all of it' }),
    ],
  },
  'paused-and-changed': {
    flow: CONTROL,
    steps: [
      run({ text: 'a' }),
      patched({ input: { text: 'no' } }),
      paused(),
      completed('one/1', 1),
      patched({ input: { text: 'b' } }),
      resumed(),
      resumed(),
      completed('two/1', 2),
    ],
  },
  'called-off-while-paused': {
    flow: CONTROL,
    steps: [run({ text: 'a' }), completed('one/1', 1), paused(), cancelled(), completed('two/1', 2), completed('undo/one/1')],
  },
  'run-again': {
    flow: CONTROL,
    steps: [
      run({ text: 'a' }),
      completed('one/1', 1),
      failed('two/1'),
      completed('onError/1'),
      completed('undo/one/1'),
      { name: 'run.retry', data: { runId: 'run_1', by: 'ada', newRunId: 'run_2', requestId: 'again', requestedAtMs: START_MS } },
    ],
  },
  'run-from-a-step': {
    flow: CONTROL,
    steps: [
      run(
        { text: 'a' },
        {
          rootRunId: 'run_0',
          effectBase: 'run_0',
          reuse: REUSED,
        },
      ),
      completed('two/1', 2),
    ],
  },
  limits: {
    flow: BUDGET,
    steps: [
      run(),
      completed('dear/1', 'bad', { costMicroUsd: 2_000 }),
      failed('slow/1', 'tool.timed_out'),
      completed('more[0]/1'),
      completed('more[1]/1'),
      at(60_000, decided('onLimit/1', 'approve', 'so be it')),
    ],
  },
}

writeHistories(VERSION, HISTORIES)
