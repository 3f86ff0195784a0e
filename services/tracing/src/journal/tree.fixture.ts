// What the journal tells of a run made of others: branches, items, an event that is waited for, a run that a step started, control.
import type { TracedEvent } from './journal-event.ts'

type Told = TracedEvent['message']
type Kind = Extract<Told, { name: 'journal.step.opened' }>['data']['kind']

const FAULT = { code: 'tool.failed' as const, message: 'no' }

type ControlData = Extract<Told, { name: 'journal.run.controlled' }>['data']
type Opening = { parts?: number; detail?: { event?: string; untilMs?: number; childRunId?: string } }
type Run = { readonly runId: string; readonly atMs: number; readonly tenant?: string }

const METER = { startedAtMs: 0, latencyMs: 5, queuedMs: 0, tries: 1, model: 'm', inputChars: 1, outputChars: 1, costMicroUsd: 100 }

/** Tells what happens in one run one after the other, a millisecond apart. */
export const teller = (run: Run) => {
  const told: Told[] = []
  const { runId, atMs, tenant = 'default' } = run
  const transition = () => ({ runId, tenant, seq: told.length, atMs: atMs + told.length + 1 })
  return { told, ...runTeller(run, told, transition), ...stepTeller(run, told, transition) }
}

type Transition = () => { runId: string; tenant: string; seq: number; atMs: number }

const runTeller = ({ runId, atMs }: Run, told: Told[], transition: Transition) => ({
  start: (flow: string, of: { parentRunId?: string; rootRunId?: string; rerunOf?: string } = {}) => {
    const pinned = { source: 'spec', version: '1', planHash: 'p'.repeat(64), priority: 'normal' as const, labels: {} }
    const data = { ...transition(), ...pinned, requestId: `req-${runId}`, flow, requestedAtMs: atMs, ...of }
    told.push({ name: 'journal.run.started', data })
  },
  control: (action: ControlData['action'], detail?: ControlData['detail']) => {
    const data = { ...transition(), action, by: 'ann' }
    told.push({ name: 'journal.run.controlled', data: detail === undefined ? data : { ...data, detail } })
  },
  receive: (event: string, path: string) =>
    told.push({ name: 'journal.event.received', data: { ...transition(), eventId: `${event}-1`, event, path } }),
  end: (flow: string, status: 'completed' | 'failed' | 'cancelled', costMicroUsd: number) => {
    const spent = { latencyMs: told.length, workingMs: told.length, waitedMs: 0, costMicroUsd, steps: 1, escalated: false }
    const data = { ...transition(), flow, version: '1', status, requestedAtMs: atMs, ...spent }
    told.push({ name: 'journal.run.ended', data: status === 'failed' ? { ...data, fault: FAULT } : data })
  },
})

const stepTeller = ({ runId, atMs }: Run, told: Told[], transition: Transition) => {
  const place = (path: string, kind: Kind) => ({ path, nodeId: path.replace(/\[\d+\]/g, ''), kind })
  const attempt = (path: string, kind: Kind) => ({
    ...transition(),
    ...place(path, kind),
    attempt: 1,
    attemptId: `${runId}/${path}/1`,
    dispatchedAtMs: atMs + told.length - 1,
  })
  return {
    open: (path: string, kind: Kind, more: Opening = {}) =>
      told.push({ name: 'journal.step.opened', data: { ...transition(), ...place(path, kind), ...more } }),
    close: (path: string, kind: Kind, dispatchedAtMs = atMs) =>
      told.push({ name: 'journal.step.completed', data: { ...transition(), ...place(path, kind), attempt: 1, by: kind, dispatchedAtMs } }),
    ask: (path: string, kind: Kind = 'model') =>
      told.push({ name: 'journal.step.dispatched', data: { ...attempt(path, kind), leaseUntilMs: atMs + 60_000 } }),
    answer: (path: string, kind: Kind = 'model', latencyMs = 5) =>
      told.push({ name: 'journal.step.completed', data: { ...attempt(path, kind), by: 'model:m', meter: { ...METER, latencyMs } } }),
    fail: (path: string, kind: Kind = 'model') =>
      told.push({ name: 'journal.step.failed', data: { ...attempt(path, kind), fault: FAULT } }),
  }
}

/** A run with a child run, and all that is told of both. */
export const treeHistory = (runId: string, atMs = 1_000): readonly Told[] => {
  const childRunId = `${runId}_child`
  const run = teller({ runId, atMs })
  const child = teller({ runId: childRunId, atMs: atMs + 20 })
  run.start('tree/parent')
  run.open('signals', 'parallel', { parts: 2 })
  run.ask('signals/unsafe')
  run.ask('signals/slow')
  run.answer('signals/unsafe')
  run.close('signals', 'parallel', atMs + 2) // `slow` lost, and is not waited for
  run.open('findings', 'map', { parts: 3 })
  for (const item of [0, 1, 2]) run.ask(`findings[${item}]/ballot`)
  run.answer('findings[0]/ballot', 'model', 2)
  run.fail('findings[1]/ballot')
  run.answer('findings[2]/ballot', 'model', 9)
  run.close('findings', 'map', atMs + 7)
  run.control('paused', { reason: 'look' })
  run.control('patched', { input: ['text'] })
  run.control('resumed')
  run.control('refused', { code: 'run.not_paused', asked: 'resume' })
  run.open('refund', 'flow', { detail: { childRunId } })
  child.start('tree/child', { parentRunId: runId, rootRunId: runId })
  child.ask('pay', 'tool')
  child.answer('pay', 'tool')
  child.end('tree/child', 'completed', 100)
  run.close('refund', 'flow', atMs + 18)
  run.open('paid', 'event', { detail: { event: 'payment' } })
  run.receive('payment', 'paid')
  run.close('paid', 'event', atMs + 20)
  run.open('undo/refund', 'undo')
  run.ask('undo/refund/back', 'tool')
  run.answer('undo/refund/back', 'tool')
  run.end('tree/parent', 'failed', 600)
  return [...run.told, ...child.told]
}
