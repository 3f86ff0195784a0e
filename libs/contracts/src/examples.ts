// One example of each message, from the life of one run of the support flow. Documents show them, tests check them.
import { attemptIdOf, rejectionIdOf, runIdOf } from './ids.ts'
import type { ContractName, MessageOf } from './registry.ts'

const tenant = 'default'
const requestId = 'order-4711'
const runId = runIdOf({ tenant, source: '/shop', requestId })
const atMs = 1_767_225_600_000
const planHash = '5f17122d56b5911a6393296a6fa4c8c9fb67875488155af51769988303051035'
const payload = {
  sha256: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
  sizeBytes: 84_211,
  mediaType: 'application/json',
}
const flow = 'support/customer-support'
const version = '2.0.0'
const path = 'answer'
const attemptId = attemptIdOf({ runId, path, attempt: 1 })
const fault = {
  code: 'model.timed_out' as const,
  message: 'gpt-large did not answer within 8000 ms',
  detail: { model: 'gpt-large', timeoutMs: 8_000 },
}
const priority = 'normal' as const
const labels = { channel: 'mail' }
const taskId = `${attemptId}/review`
const meter = {
  startedAtMs: atMs,
  latencyMs: 812,
  queuedMs: 3,
  tries: 1,
  model: 'haiku-small',
  provider: 'anthropic',
  inputChars: 4_180,
  outputChars: 356,
  inputTokens: 1_041,
  outputTokens: 88,
  costMicroUsd: 1_480,
  confidence: 0.91,
  failedOver: ['gpt-large: model.timed_out'],
}

const command = {
  runId,
  rootRunId: runId,
  tenant,
  flow,
  version,
  planHash,
  engineVersion: 1,
  nodeId: 'answer',
  path,
  kind: 'model' as const,
  attempt: 1,
  attemptId,
  leaseUntilMs: atMs + 30_000,
  deadlineMs: atMs + 60_000,
  reservation: attemptId,
  effectKey: `${runId}/answer/0`,
  priority,
  answerPartition: 7,
  input: { text: 'Where is my refund?', docs: { $payload: payload, at: ['items'] }, facts: { status: 'sent', date: '2026-01-01' } },
}
const placed = (nodeId: string, kind: 'tool' | 'retrieve' | 'check' | 'human') => ({
  ...command,
  nodeId,
  path: nodeId,
  kind,
  attemptId: attemptIdOf({ runId, path: nodeId, attempt: 1 }),
  reservation: attemptIdOf({ runId, path: nodeId, attempt: 1 }),
  effectKey: `${runId}/${nodeId}/0`,
})

const result = { requestId, runId, flow, version }
const metrics = { latencyMs: 2_431, workingMs: 2_431, costUsd: 0.00212, steps: 4, escalated: false }
const transition = (seq: number) => ({ runId, tenant, seq, atMs: atMs + seq * 100 })
const stepTransition = (seq: number) => ({ ...transition(seq), path, nodeId: 'answer', kind: 'model' as const })

/** An example of each message, by the name of its contract. */
export const EXAMPLES: { readonly [Name in ContractName]: MessageOf<Name> } = {
  'run.request': {
    id: requestId,
    flow,
    input: { ticket: 'T-1', text: 'Where is my refund?' },
    session: 'chat-88',
    user: { id: 'customer-7' },
    priority,
    deadlineMs: 60_000,
    labels,
  },
  'run.requested': {
    runId,
    requestId,
    tenant,
    source: '/shop',
    flow,
    version,
    planHash,
    engineVersion: 1,
    params: { send: 0.8, review: 0.5 },
    input: { ticket: 'T-1', text: 'Where is my refund?', sensitive: false },
    priority,
    deadlineMs: 60_000,
    labels,
    session: 'chat-88',
    user: { id: 'customer-7' },
    requestedAtMs: atMs,
    repeat: false,
  },
  'run.cancel': { runId, by: 'operator:ada', reason: 'The customer found the answer' },
  'run.pause': { runId, by: 'operator:ada', reason: 'The provider is to be changed first' },
  'run.resume': { runId, by: 'operator:ada' },
  'run.patch': { runId, by: 'operator:ada', input: { ticket: 'T-2' }, params: { send: 0.9 } },
  'run.retry': {
    runId,
    by: 'operator:ada',
    newRunId: runIdOf({ tenant, source: 'retry', requestId: `${runId}/1` }),
    requestId: `${requestId}/retry/1`,
    from: 'answer',
    requestedAtMs: atMs + 600_000,
  },
  'run.event': { runId, eventId: 'bank-88', event: 'payment/confirmed', data: { order: 'T-1', amount: 12 }, by: 'bank' },
  'run.continue': { runId, seq: 300 },
  'run.quarantine': { runId, offset: '184467', crashes: 2 },
  'timer.matured': { runId, timerId: 'answer/lease', dueAtMs: atMs + 30_000 },
  'step.completed': { runId, attemptId, output: { text: 'It was sent on 1 January.', confidence: 0.91 }, by: 'model:haiku-small', meter },
  'step.failed': { runId, attemptId, fault, meter: { ...meter, outputChars: 0, costMicroUsd: 0 } },
  'step.asks': {
    runId,
    attemptId,
    ask: {
      kind: 'approval',
      use: 'answer',
      title: 'Refund 120.00 EUR to customer C-7?',
      input: { tool: 'billing/refund', draft: { customer: 'C-7', amount: 120 } },
      fingerprint: planHash,
      risk: 'irreversible',
      reasons: ['the tool is irreversible'],
    },
  },
  'step.retrying': { runId, attemptId, untilMs: atMs + 5_000, tries: 3, fault },
  'step.deferred': { runId, attemptId, untilMs: atMs + 60_000, reason: 'the provider reports maintenance' },
  'step.extended': { runId, attemptId, untilMs: atMs + 60_000 },
  'step.expired': { runId, attemptId, deadlineMs: atMs + 60_000 },
  'review.decided': {
    runId,
    attemptId,
    taskId,
    verdict: 'edit',
    output: { text: 'It was sent on 1 January and arrives within three days.', confidence: 1 },
    by: 'ada',
    reason: 'Added how long it takes',
    fingerprint: '2c26b46b68ffc68f',
    decidedAtMs: atMs + 300_000,
  },
  'review.expired': { runId, attemptId, taskId, dueAtMs: atMs + 7_200_000 },
  'review.requested': { runId, attemptId, taskId, tenant, path, queue: 'support', priority, dueAtMs: atMs + 7_200_000 },
  'review.claimed': { runId, taskId, tenant, by: 'ada', untilMs: atMs + 900_000 },
  'model.routed': {
    runId,
    tenant,
    path,
    nodeId: path,
    attemptId,
    atMs,
    route: 'answer',
    policy: 'fallback',
    chosen: 'haiku-small',
    candidates: [
      { model: 'gpt-large', lost: 'its breaker is open until 12:00:30' },
      { model: 'haiku-small', score: 0.81, parts: { price: 0.97, latency: 0.66 } },
    ],
    calls: [{ model: 'haiku-small', startedAtMs: atMs, latencyMs: 812, outcome: 'answered', costMicroUsd: 1_480 }],
  },
  'stream.piece': { runId, tenant, path, attempt: 1, attemptId, seq: 0, text: 'Your refund was' },
  'config.changed': { document: 'routes', version: 7, hash: planHash, by: 'ada', atMs, content: { answer: ['gpt-large', 'haiku-small'] } },
  'model.invoke': command,
  'tool.call': { ...placed('facts/refund', 'tool'), input: { ticket: 'T-1' } },
  'retrieval.search': { ...placed('docs', 'retrieve'), input: { query: 'Where is my refund?' } },
  'check.evaluate': {
    ...placed('relevance', 'check'),
    input: { query: 'Where is my refund?', items: [{ id: 'doc-1', text: 'Refunds take three days.' }] },
  },
  'review.changed': { runId, taskId, tenant, change: 'released', status: 'pending', queue: 'support', by: 'ada', epoch: 3, atMs },
  'review.scored': {
    runId,
    taskId,
    tenant,
    flow: 'support/customer-support',
    path,
    kind: 'edit',
    verdict: 'edit',
    score: 0,
    by: 'ada',
    confidence: 0.62,
    route: 'model:gpt',
    automatic: false,
    tookMs: 21_000,
    atMs,
  },
  'review.request': {
    ...placed('answer/gate[1]', 'human'),
    input: { input: { ticket: 'T-1' }, draft: { text: 'It was sent.', confidence: 0.6 } },
  },
  'review.sample': {
    runId,
    tenant,
    attemptId,
    flow: 'support/customer-support',
    planHash: 'a'.repeat(64),
    nodeId: 'answer',
    path,
    ask: { kind: 'label', use: 'output', title: 'Was this right?', input: { draft: { text: 'Hello.' } }, reasons: ['one of a hundred'] },
  },
  'review.withdraw': { runId, tenant, attemptId, reason: 'The run has ended' },
  'task.requested': {
    runId,
    step: 'convert',
    attemptId: attemptIdOf({ runId, path: 'convert', attempt: 1 }),
    deadline: atMs + 60_000,
    input: { document: 'T-1.pdf' },
    answerPartition: 7,
  },
  'run.completed': { ...result, status: 'completed', output: { text: 'It was sent on 1 January.', by: 'model:haiku-small' }, metrics },
  'run.failed': { ...result, status: 'failed', fault, metrics: { ...metrics, escalated: true } },
  'run.cancelled': { ...result, status: 'cancelled', fault: { code: 'run.cancelled', message: 'The customer found the answer' }, metrics },
  'run.rejected': {
    ...result,
    runId: rejectionIdOf({ tenant, source: '/shop', requestId, body: '{}' }),
    status: 'rejected',
    fault: { code: 'input.invalid', message: 'input.text is missing', detail: { field: 'input.text' } },
    metrics: { latencyMs: 0, costUsd: 0, steps: 0, escalated: false },
  },
  'journal.run.started': { ...transition(0), requestId, source: '/shop', flow, version, planHash, priority, labels, requestedAtMs: atMs },
  'journal.step.dispatched': { ...stepTransition(1), attempt: 1, attemptId, leaseUntilMs: atMs + 30_000 },
  'journal.step.completed': { ...stepTransition(2), attempt: 1, attemptId, by: 'model:haiku-small', dispatchedAtMs: atMs + 100, meter },
  'journal.step.failed': { ...stepTransition(2), attempt: 1, attemptId, dispatchedAtMs: atMs + 100, fault },
  'journal.step.waiting': { ...stepTransition(2), attemptId, reason: 'retrying', untilMs: atMs + 5_000, fault },
  'journal.step.decided': { ...stepTransition(3), kind: 'gate', chosen: 'it.confidence >= params.send', detail: { confidence: 0.91 } },
  'journal.step.opened': { ...stepTransition(1), nodeId: 'signals', path: 'signals', kind: 'parallel', parts: 3 },
  'journal.run.controlled': {
    ...transition(4),
    action: 'paused',
    by: 'operator:ada',
    detail: { reason: 'The provider is to be changed first' },
  },
  'journal.event.received': { ...transition(4), eventId: 'bank-88', event: 'payment/confirmed', path: 'paid' },
  'journal.answer.ignored': { ...transition(4), attemptId, reason: 'late', costMicroUsd: 1_480 },
  'journal.run.ended': {
    ...transition(5),
    flow,
    version,
    status: 'completed',
    requestedAtMs: atMs,
    latencyMs: 2_431,
    workingMs: 2_431,
    waitedMs: 0,
    costMicroUsd: 2_120,
    steps: 4,
    escalated: false,
  },
}
