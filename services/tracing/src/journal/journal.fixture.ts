// Journal events of runs, as the engine and the review desk write them.
import { encodeEvent, TOPICS, type Message } from '@baton/contracts'
import type { OutgoingRecord } from '@baton/bus/bus'
import { readJournal, type TracedEvent } from './journal-event.ts'

const REF = { sha256: 'c'.repeat(64), sizeBytes: 10, mediaType: 'application/json' }
const METER = {
  startedAtMs: 1_010,
  latencyMs: 25,
  queuedMs: 2,
  tries: 2,
  model: 'gpt-large',
  provider: 'openai',
  inputChars: 120,
  outputChars: 40,
  costMicroUsd: 150,
  confidence: 0.7,
  failedOver: ['model.rate_limited'],
  contentRef: REF,
}

type Told = TracedEvent['message']

type Run = {
  readonly runId: string
  readonly tenant: string
  readonly flow: string
  readonly labels: Record<string, string>
  readonly atMs: number
}

/** Everything that is told of one run that asks a model, a gate and a person, in order. */
export const runHistory = (runId: string, given: Partial<Run> = {}): readonly Told[] => {
  const run = { runId, tenant: 'default', flow: 'support/help', labels: {}, atMs: 1_000, ...given }
  return [...beginning(run), ...classifying(run), ...reviewing(run), ...ending(run)]
}

const at = ({ runId, tenant, atMs }: Run, afterMs: number, seq: number): { runId: string; tenant: string; seq: number; atMs: number } => ({
  runId,
  tenant,
  seq,
  atMs: atMs + afterMs,
})
const step = <Kind extends string>(path: string, kind: Kind): { path: string; nodeId: string; kind: Kind } => ({ path, nodeId: path, kind })
const attempt = ({ runId }: Run, path: string, number: number): { attempt: number; attemptId: string } => ({
  attempt: number,
  attemptId: `${runId}/${path}/${number}`,
})

const beginning = (run: Run): readonly Told[] => {
  const { runId, flow, labels, atMs } = run
  const pinned = {
    requestId: `req-${runId}`,
    source: 'kafka',
    flow,
    version: '1',
    planHash: 'p'.repeat(64),
    priority: 'normal' as const,
    labels,
  }
  return [{ name: 'journal.run.started', data: { ...at(run, 0, 0), ...pinned, requestedAtMs: atMs - 5 } }]
}

const classifying = (run: Run): readonly Told[] => {
  const { runId, atMs } = run
  const classify = step('classify', 'model')
  const [first, second] = [attempt(run, 'classify', 1), attempt(run, 'classify', 2)]
  const slowDown = { code: 'model.rate_limited' as const, message: 'slow down' }
  const lost = { code: 'step.lease_lost' as const, message: 'no answer' }
  const outputRef = { ...REF, sha256: 'd'.repeat(64) }
  return [
    { name: 'journal.step.dispatched', data: { ...at(run, 0, 1), ...classify, ...first, leaseUntilMs: atMs + 9_000 } },
    {
      name: 'journal.step.waiting',
      data: { ...at(run, 10, 2), ...classify, attemptId: first.attemptId, reason: 'retrying', untilMs: atMs + 20, fault: slowDown },
    },
    { name: 'journal.step.failed', data: { ...at(run, 25, 3), ...classify, ...first, dispatchedAtMs: atMs, fault: lost } },
    { name: 'journal.step.dispatched', data: { ...at(run, 25, 4), ...classify, ...second, leaseUntilMs: atMs + 9_000 } },
    { name: 'journal.answer.ignored', data: { ...at(run, 30, 5), attemptId: `${runId}/classify/1`, reason: 'late', costMicroUsd: 100 } },
    {
      name: 'journal.step.completed',
      data: { ...at(run, 60, 6), ...classify, ...second, by: 'model:gpt-large', dispatchedAtMs: atMs + 25, meter: METER, outputRef },
    },
    { name: 'journal.step.decided', data: { ...at(run, 60, 7), ...step('classify', 'gate'), chosen: 'else' } },
  ]
}

const reviewing = (run: Run): readonly Told[] => {
  const { runId, tenant, atMs } = run
  const person = { ...step('classify/human', 'human'), ...attempt(run, 'classify/human', 1) }
  const task = { runId, taskId: `task-${runId}` }
  const asked = {
    ...task,
    tenant,
    attemptId: person.attemptId,
    path: person.path,
    queue: 'support',
    priority: 'normal' as const,
    dueAtMs: atMs + 90_000,
  }
  const decision = {
    verdict: 'edit' as const,
    output: { secret: 'content of a person' },
    by: 'jane',
    reason: 'tone',
    fingerprint: 'f',
    decidedAtMs: atMs + 1_060,
  }
  return [
    { name: 'journal.step.dispatched', data: { ...at(run, 60, 8), ...person, leaseUntilMs: atMs + 90_000 } },
    { name: 'review.requested', data: asked },
    { name: 'review.claimed', data: { ...task, tenant, by: 'jane', untilMs: atMs + 5_000 } },
    { name: 'review.decided', data: { ...task, tenant, attemptId: person.attemptId, ...decision } },
    { name: 'journal.step.completed', data: { ...at(run, 1_060, 9), ...person, by: 'human:jane', dispatchedAtMs: atMs + 60 } },
  ]
}

const ending = (run: Run): readonly Told[] => {
  const { runId, flow, atMs } = run
  const [spent, ended] = [
    { latencyMs: 1_065, steps: 2, escalated: true },
    { flow, version: '1', status: 'completed' as const },
  ]
  return [
    {
      name: 'journal.run.ended',
      data: { ...at(run, 1_060, 10), ...ended, ...spent, requestedAtMs: atMs - 5, workingMs: 65, waitedMs: 1_000, costMicroUsd: 250 },
    },
    {
      name: 'run.completed',
      data: { requestId: `req-${runId}`, runId, ...ended, output: { text: 'done' }, metrics: { ...spent, costUsd: 0.00025 } },
    },
  ]
}

/** The same as records of their topics. */
export const recordsOf = (told: readonly Told[]): readonly OutgoingRecord[] =>
  told.map((message, index) => {
    const { runId } = message.data
    const encoded = encodeEvent({
      ...(message as Message),
      id: `${runId}/${index}`,
      source: '/baton/test',
      subject: runId,
      tenant: tenantOf(message),
      time: '2026-01-01T00:00:00.000Z',
    })
    return { topic: message.name.startsWith('run.') ? TOPICS.results : TOPICS.journal, ...encoded }
  })

const tenantOf = ({ data }: Told): string => ('tenant' in data && typeof data.tenant === 'string' ? data.tenant : 'default')

/** The same as tracing reads them. */
export const eventsOf = (told: readonly Told[]): readonly TracedEvent[] =>
  recordsOf(told).flatMap((record) => readJournal({ ...record, timestampMs: 0 }) ?? [])
