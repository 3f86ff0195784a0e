// The flows of the golden histories of engine version 2.

export const PARALLEL = (how: string): string => `
flow: golden/parallel@1.0.0
steps:
  - all:
      parallel:
        a: { tool: x/a }
        b: [{ b1: { tool: x/b } }, { b2: { tool: x/c, with: { of: =b1 } } }]
        c: { human: { queue: q, sla: 30m } }
      ${how}
  - last: { tool: x/last, with: { all: =all } }
output: { all: =all }
`
export const MAP = `
flow: golden/map@1.0.0
limits: { steps: 5000 }
input: { items: { type: list, items: number } }
steps:
  - out: { map: =input.items, as: line, each: { do: [{ one: { tool: x/one, with: { line: =line, at: =index } } }, { two: { set: { v: =one.v + index } } }] }, concurrency: 2, chunk: 2, onFailure: collect }
output: { out: =out }
`
export const WIDE = `
flow: golden/wide@1.0.0
limits: { steps: 5000 }
input: { items: { type: list, items: number } }
steps:
  - out: { map: =input.items, each: { tool: x/one, with: { item: =item } }, concurrency: 200, max: 1000, onFailure: fail }
`
export const VOTE = `
flow: golden/vote@1.0.0
steps:
  - safe:
      vote: { voters: 3, on: =it.verdict, rule: majority, tie: { human: { queue: q, sla: 30m } }, early: true }
      prompt: Is this safe?
      returns: { verdict: yes | no }
  - best:
      vote:
        voters:
          - { model: large, prompt: Answer, returns: { text: string }, weight: 2 }
          - { model: small, prompt: Answer, returns: { text: string }, weight: 1 }
        rule: judge
        judge: { model: strong, prompt: Which is best?, returns: { text: string } }
        tie: fail
output: { safe: =safe, best: =best }
`
export const LOOP = `
flow: golden/loop@1.0.0
steps:
  - text:
      loop: { max: 3, until: it.score > 0.8 }
      do: [{ edit: { tool: x/edit, with: { before: =it, round: =index }, returns: { score: number } } }]
      onLimit: { set: { score: 0.0 } }
output: { text: =text }
`
export const WAITS = `
flow: golden/waits@1.0.0
limits: { time: 60s, total: 9d }
input: { order: string }
steps:
  - rest: { wait: 3h }
  - paid: { wait: { event: payment/confirmed, match: event.order == input.order, timeout: 2d }, returns: { order: string, amount: number }, onTimeout: { set: { order: none, amount: 0 } } }
  - told: { emit: { topic: orders.paid, type: order.paid, key: =input.order }, with: { paid: =paid } }
  - second: { wait: { event: payment/second, timeout: 1d }, onTimeout: next }
output: { paid: =paid }
`
export const UNDO = `
flow: golden/undo@1.0.0
steps:
  - room: { tool: hotel/book, returns: { n: number }, gate: [{ when: it.n > 0.5, then: next }, { when: it.n > 0.0, then: { retry: { attempts: 1 } } }, { else: fail }], undo: { tool: hotel/cancel, with: { room: =it } } }
  - seat: { tool: air/book, undo: { tool: air/cancel, with: { seat: =it, room: =room } } }
  - paid: { tool: bank/pay, failover: [{ tool: bank/other }] }
`
export const FLOW = `
flow: golden/parent@1.0.0
limits: { time: 60s, total: 1d, steps: 20, cost: 1 USD, depth: 2 }
steps:
  - one: { tool: x/one }
  - refund: { flow: support/refund@stable, with: { order: T-1 }, limits: { time: 10s, cost: 0.20 USD }, onError: { set: { paid: false } } }
output: { refund: =refund }
`
export const CHILD = `
flow: support/refund@1.0.0
limits: { time: 30s, steps: 5 }
input: { order: string }
steps:
  - pay: { tool: bank/pay, with: { order: =input.order } }
`
export const AGENT = `
flow: golden/agent@1.0.0
agents:
  clerk: { model: m, prompt: You help., tools: [shop/find, shop/pay], for: [refund], limits: { turns: 4, calls: 20 }, handoff: [expert], returns: { text: string } }
  expert: { model: big, prompt: You know., for: [other], limits: { turns: 3 }, minConfidence: 0.6, selfCheck: Is it so?, fallback: { human: { queue: q, sla: 30m } }, returns: { text: string, confidence: number } }
input: { kind: refund | other }
steps:
  - a: { agent: { for: =input.kind }, with: { kind: =input.kind } }
output: { a: =a }
`
export const TEAM = `
flow: golden/team@1.0.0
agents:
  planner: { model: m, prompt: Plan., limits: { turns: 2 }, returns: { tasks: { type: list, items: { kind: documents | numbers, text: string } } } }
  reader: { model: m, prompt: Read., for: [documents], limits: { turns: 2 } }
  analyst: { model: m, prompt: Count., for: [numbers], limits: { turns: 2 } }
  writer: { model: m, prompt: Write., limits: { turns: 2 } }
steps:
  - report: { team: { planner: planner, workers: [reader, analyst], synthesis: writer, concurrency: 2, limits: { rounds: 2, subtasks: 5 } } }
output: { report: =report }
`
export const CONTROL = `
flow: golden/control@1.0.0
limits: { time: 60s, total: 9d }
input: { text: string }
steps:
  - one: { tool: x/one, undo: { tool: x/undo } }
  - two: { tool: x/two, with: { text: =input.text, got: =one } }
onError: { tool: ops/log, with: { code: =fault.code } }
`
export const BUDGET = `
flow: golden/limits@1.0.0
limits: { time: 60s, total: 4h, calls: 4, tokens: 5000, cost: 0.05 USD }
steps:
  - dear: { model: [small, large], prompt: Say, budget: { cost: 0.001 USD }, gate: [{ when: it == "good", then: next }, { when: it != "", then: { retry: { attempts: 3 } } }, { else: fail }], onLimit: { set: cheap } }
  - slow: { tool: x/slow, timeout: 2s, onTimeout: { set: late } }
  - more: { map: '=[1, 2, 3]', each: { tool: x/more } }
onLimit: { human: { queue: q, sla: 30m } }
output: { dear: =dear, slow: =slow }
`
