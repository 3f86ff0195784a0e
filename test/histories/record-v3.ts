// The golden histories of engine version 3: guards, questions of services, what steps share, and the time of composed steps.
import { asks, at, completed, decided, failed, requested, reviewExpired, turned, woken } from '@baton/engine/testing'
import { writeHistories, type History } from './write.ts'

const VERSION = 3
const start = requested({ text: 'hi' }, { engineVersion: VERSION, mode: 'dry_run' })

const GUARDED = `
flow: golden/guarded@1.0.0
input: { text: string }
steps:
  - a: { model: m, prompt: 'Say {{ text }}', with: { text: =input.text }, guard: [pii, { links: { on: output } }], returns: { said: string, confidence: number }, gate: [{ when: it.confidence > 0.5, then: next }, { when: it.confidence > 0.2, then: { retry: { attempts: 1 } } }, { else: fail }] }
output: { said: =a.said, by: =a.by }
`
const ASKING = `
flow: golden/asking@1.0.0
limits: { time: 1h, total: 2h }
input: { text: string }
agents:
  clerk: { model: m, prompt: You help., tools: [bank/pay], for: [any], limits: { turns: 4 } }
steps:
  - pay: { tool: bank/pay, with: { text: =input.text }, onError: { set: { paid: false }, then: next } }
  - help: { agent: clerk, with: { pay: =pay } }
`
const SHARED = `
flow: golden/shared@1.0.0
input: { text: string }
buffers: { notes: { expires: 10m, items: 2 } }
steps:
  - a: { tool: x, writes: notes }
  - b: { tool: x, writes: notes }
  - c: { model: m, prompt: Decide., context: { tokens: 1k, parts: [{ name: found, buffer: notes }, { name: said, from: =a.text }] }, media: =b.picture, cache: { for: 1h, key: =a.text }, writes: notes }
output: { notes: =buffers.notes }
`
const TIMED = `
flow: golden/timed@1.0.0
limits: { time: 1h, total: 2h }
input: { text: string }
steps:
  - a: { parallel: { x: { tool: x }, y: { human: { queue: q, sla: 1h } } }, timeout: 10s, onTimeout: { set: late } }
  - b: { loop: { max: 3 }, do: [{ c: { tool: x } }], timeout: 5s, failover: { tool: y } }
`
const verdict = (action: string, more: object = {}) => ({
  ok: action !== 'block',
  action,
  score: 1,
  findings: [],
  reasons: ['seen'],
  ...more,
})
const approval = {
  kind: 'approval',
  use: 'answer',
  fingerprint: 'f',
  risk: 'irreversible',
  queue: 'money',
  priority: 'high',
  state: { n: 1 },
} as const

const HISTORIES: Readonly<Record<string, History>> = {
  guarded: {
    flow: GUARDED,
    steps: [
      start,
      completed('a/guard[input]/1', verdict('redact', { value: { text: '[x]' } })),
      completed('a/2', { said: 'no', confidence: 0.3 }),
      completed('a/guard[output]/3', verdict('flag')),
      completed('a/4', { said: 'call 1', confidence: 0.9 }, { taint: ['web'] }),
      completed('a/guard[output]/5', verdict('redact', { value: { said: 'call [x]', confidence: 0.9 } })),
    ],
  },
  'guard-blocks': { flow: GUARDED, steps: [start, completed('a/guard[input]/1', verdict('block'))] },
  'guard-asks': {
    flow: GUARDED,
    steps: [
      start,
      asks('a/guard[input]/1', { use: 'output', kind: 'edit' }),
      decided('a/ask[2]/2', 'edit', { text: 'ho' }),
      failed('a/3', 'model.refused'),
    ],
  },
  'asks-and-is-told': {
    flow: ASKING,
    steps: [
      start,
      asks('pay/1', approval, { taint: ['mail'] }),
      decided('pay/ask[1]/2', 'approve', 1),
      at(700_000, woken()),
      completed('pay/4', { paid: true }),
      turned('help/turn[1]/1', { calls: [{ id: 'c', tool: 'bank/pay', arguments: { amount: 5 } }] }),
      asks('help/turn[1]/call[0]/1', approval),
      decided('help/turn[1]/call[0]/ask[1]/2', 'reject', null),
      failed('help/turn[1]/call[0]/3', 'approval.refused'),
      turned('help/turn[2]/1', { calls: [] }, 'sorry'),
    ],
  },
  'asks-in-vain': {
    flow: ASKING,
    steps: [start, asks('pay/1', approval), reviewExpired('pay/ask[1]/2'), turned('help/turn[1]/1', { calls: [] }, 'no')],
  },
  shared: {
    flow: SHARED,
    steps: [
      start,
      completed('a/1', { text: 'one', picture: null }),
      completed('b/1', { text: 'two', picture: { ref: 'p' } }),
      completed('c/1', 3),
    ],
  },
  'time-of-a-step': {
    flow: TIMED,
    steps: [start, at(5_000, completed('a/x/1', 1)), at(10_000, woken()), at(15_000, woken()), completed('b/failover[0]/1', 'so')],
  },
}

writeHistories(VERSION, HISTORIES)
