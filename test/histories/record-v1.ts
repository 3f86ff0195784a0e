// The golden histories of engine version 1: what was decided once is decided so for ever under the same engine version.
import {
  at,
  cancelled,
  completed,
  decided,
  extended,
  failed,
  quarantined,
  requested,
  retrying,
  reviewExpired,
  woken,
  type Step,
} from '@baton/engine/testing'
import { writeHistories, type History } from './write.ts'

const CHAIN = `
flow: golden/chain@1.0.0
input: { text: string }
steps:
  - facts: Extract the facts from {{ input.text }}
  - summary: Summarise {{ facts }}
`
const SUPPORT = `
flow: golden/support@1.0.0
limits: { time: 60s, total: 4h, cost: 0.05 USD, steps: 20 }
params: { send: { type: number, default: 0.8 } }
input: { ticket: string, text: string }
steps:
  - classify: { model: [small, large], prompt: 'Classify {{ input.text }}', returns: { intent: string }, timeout: 5s, retry: { attempts: 3, backoff: exponential } }
  - facts:
      switch: =classify.intent
      cases:
        refund: { tool: billing/status, with: { ticket: =input.ticket } }
        technical: { do: [ { found: { retrieve: help, with: { query: =input.text } } }, { tried: { task: diagnose, with: { found: =found } } } ] }
      else: { human: { queue: support, priority: normal, sla: 120m } }
  - answer:
      prompt: 'Answer {{ input.text }}'
      returns: { text: string, confidence: number }
      gate:
        - { when: it.confidence >= params.send, then: next }
        - { when: it.confidence >= 0.5, then: { human: { queue: support, priority: high, sla: 30m } } }
        - { when: it.confidence >= 0.3, then: { retry: { attempts: 1, model: [large] } } }
        - { else: fail }
  - told: { when: 'answer.confidence > 0.1', tool: mail/send, with: { text: =answer.text, by: =answer.by }, onError: { set: { sent: false }, then: next } }
onError: { tool: ops/log, with: { code: =fault.code } }
output: { text: =answer.text, by: =answer.by, told: =told }
results: { topic: golden.results }
`
const start = requested({ ticket: 't', text: 'a' }, { params: { send: 0.8 }, labels: { team: 'golden' }, session: 's', user: { id: 'u' } })
const intent = (is: string): Step => completed('classify/1', { intent: is }, { costMicroUsd: 10 })
const answer = (attempt: number, confidence: number): Step =>
  completed(`answer/${attempt}`, { text: 'x', confidence }, { costMicroUsd: 100 })
const LEASE_MS = 2 * 3 * 5_000 + 60_000

const HISTORIES: Readonly<Record<string, History>> = {
  chain: {
    flow: CHAIN,
    steps: [
      requested({ text: 'a' }),
      completed('facts/1', 'f'),
      completed('facts/1', 'other'),
      completed('summary/1', 's'),
      requested({ text: 'a' }),
    ],
  },
  'answered-automatically': {
    flow: SUPPORT,
    steps: [start, intent('refund'), completed('facts/refund/1', { open: true }), answer(1, 0.9), completed('told/1')],
  },
  'answered-by-a-person': {
    flow: SUPPORT,
    steps: [
      start,
      intent('other'),
      at(900_000, decided('facts/else/1', 'respond', { known: 1 })),
      answer(1, 0.6),
      at(1_800_000, decided('answer/gate[1]/1', 'edit', { text: 'y', confidence: 1 })),
      failed('told/1'),
    ],
  },
  'asked-again-and-refused': {
    flow: SUPPORT,
    steps: [
      start,
      intent('technical'),
      completed('facts/technical/found/1', { n: 1 }),
      completed('facts/technical/tried/1', { n: 2 }),
      answer(1, 0.3),
      answer(2, 0.3),
      completed('onError/1'),
    ],
  },
  'lease-lost': {
    flow: SUPPORT.replace('time: 60s', 'time: 10m'),
    steps: [
      start,
      at(1_000, retrying('classify/1', 3_000)),
      at(2_000, extended('classify/1', 4_000)),
      at(3_000 + LEASE_MS, woken()),
      completed('classify/1', { intent: 'technical' }, { costMicroUsd: 3 }),
      completed('classify/2', { intent: 'refund' }, { costMicroUsd: 4 }),
      completed('facts/refund/1'),
      answer(1, 0.9),
      completed('told/1'),
    ],
  },
  'review-expired': {
    flow: SUPPORT,
    steps: [
      start,
      intent('refund'),
      completed('facts/refund/1'),
      answer(1, 0.5),
      at(2_000_000, reviewExpired('answer/gate[1]/1')),
      completed('onError/1'),
    ],
  },
  'time-over': {
    flow: SUPPORT,
    steps: [
      start,
      at(30_000, intent('refund')),
      at(60_000, woken()),
      at(61_000, completed('facts/refund/1', null, { costMicroUsd: 7 })),
      at(90_000, woken()),
    ],
  },
  'cost-over': {
    flow: SUPPORT,
    steps: [start, completed('classify/1', { intent: 'refund' }, { costMicroUsd: 60_000 }), completed('onError/1')],
  },
  cancelled: { flow: SUPPORT, steps: [start, cancelled(), intent('refund'), start] },
  quarantined: { flow: SUPPORT, steps: [start, intent('refund'), quarantined()] },
}

writeHistories(1, HISTORIES)
