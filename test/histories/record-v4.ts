// The golden histories of engine version 4: what contexts left out, in expressions, and agents that ask several questions in
// vain, and effects that nobody knows the end of.
import { completed, decided, failed, requested, turned } from '@baton/engine/testing'
import { writeHistories, type History } from './write.ts'

const VERSION = 4
const start = requested({ text: 'hi' }, { engineVersion: VERSION, mode: 'dry_run' })

const LEFT_OUT = `
flow: golden/left-out@1.0.0
input: { text: string }
steps:
  - a: { model: m, prompt: Answer., context: { tokens: 1k, parts: [{ name: docs, from: =input.text }] }, returns: { said: string }, gate: [{ when: it.leftOut.size() > 0, then: { retry: { attempts: 1 } } }, { else: next }] }
  - b: { tool: x, with: { whole: =a, lost: =a.leftOut } }
output: { lost: =a.leftOut }
`
const SEARCHING = `
flow: golden/searching@1.0.0
input: { text: string }
agents: { clerk: { model: m, prompt: You look., tools: [docs/find], limits: { turns: 9 } } }
steps:
  - help: { agent: clerk, with: { text: =input.text }, returns: { said: string }, gate: [{ when: it.leftOut.size() > 0, then: fail }, { else: next }] }
`
const DOUBTED = `
flow: golden/doubted@1.0.0
limits: { time: 1h, total: 2h }
input: { text: string }
steps:
  - pay: { tool: bank/pay, failover: [{ tool: other/pay }, { human: { queue: money, sla: 1h } }] }
output: { paid: =pay }
`
const meterOf = (leftOut: readonly { part: string; tokens: number; how: string }[]) => ({
  meter: { startedAtMs: 1, latencyMs: 1, tries: 1, inputChars: 1, outputChars: 1, costMicroUsd: 7, leftOut: [...leftOut] },
})
const asks = (turn: number, q: string) => turned(`help/turn[${turn}]/1`, { calls: [{ id: 'c', tool: 'docs/find', arguments: { q } }] })
const searches = [1, 2, 3, 4].flatMap((turn) => [asks(turn, `question ${turn}`), completed(`help/turn[${turn}]/call[0]/1`, [])])

const HISTORIES: Readonly<Record<string, History>> = {
  'left-out': {
    flow: LEFT_OUT,
    steps: [
      start,
      completed('a/1', { said: 'half' }, meterOf([{ part: 'docs', tokens: 300, how: 'end' }])),
      completed('a/2', { said: 'whole' }, meterOf([])),
      completed('b/1', 'done'),
    ],
  },
  'finds-nothing': {
    flow: SEARCHING,
    steps: [
      start,
      ...searches,
      completed(
        'help/turn[5]/1',
        { said: 'nothing' },
        { ...meterOf([{ part: 'conversation', tokens: 9, how: 'results' }]), turn: { calls: [] } },
      ),
    ],
  },
  'doubted-effect': {
    flow: DOUBTED,
    steps: [start, failed('pay/1', 'effect.uncertain'), decided('pay/failover[1]/1', 'respond', { paid: true })],
  },
  'same-mistake': {
    flow: SEARCHING,
    steps: [
      start,
      ...[1, 2, 3].flatMap((turn) => [asks(turn, `try ${turn}`), failed(`help/turn[${turn}]/call[0]/1`, 'tool.arguments_invalid')]),
    ],
  },
}

writeHistories(VERSION, HISTORIES)
