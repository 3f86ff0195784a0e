// Rows: loops, waiting, events, flows within flows, and what starts a run beside a request.
import { brief } from './lab.mjs'

const flow = (name, steps, more = 'limits: { time: 5m, total: 1d }\n') => `flow: lab/${name}@1.0.0\n${more}steps:\n${steps}`
const WAIT_MS = 1_500

const waiting = (timeout) => `
  - paid:
      wait: { event: payment/confirmed, match: event.order == input.order, timeout: ${timeout} }
      returns: { order: string, amount: number }
      onTimeout: { set: { order: none, amount: 0 }, then: next }
output: { amount: =paid.amount }
`
const forOrder = (name, timeout, before = '') => `flow: lab/${name}@1.0.0\ninput: { order: string }\nsteps:${before}${waiting(timeout)}`
const order = { order: 'o-1' }

const INNER = flow('inner-cancelled', '  - wait: { wait: { event: never } }\n')

/** The runs of a tree, by the flow they are of. */
const childOf = (lab, runId) => lab.until('the child', async () => (await lab.children(runId))[0])

export const rows = [
  {
    pattern: 'loop until a condition holds',
    flow: flow(
      'loop',
      `  - edited:\n      loop: { max: 9, until: it.v >= 3 }\n      do:\n        - text: { tool: demo/no_op, with: { v: "=it == null ? 0 : it.v" }, returns: { v: integer } }\n`,
    ),
    expected: { status: 'completed', output: { v: 3 } },
  },
  {
    pattern: 'loop at its cap: onLimit',
    flow: flow(
      'cap',
      `  - edited:\n      loop: { max: 4, until: it.v >= 30 }\n      do:\n        - text: { tool: world/see, with: { what: cap }, returns: { n: integer } }\n      onLimit: { set: { n: -1 } }\n`.replaceAll(
        'it.v >= 30',
        'it.n >= 30',
      ),
    ),
    expected: { status: 'completed', output: { n: -1 }, rounds: 4, degraded: ['limit.rounds_exceeded'] },
    seen: async ({ lab, name }) => ({ ...brief(await lab.run(name)), rounds: lab.world.calls('cap').length }),
  },
  {
    pattern: 'sub-flow: its output, in the same tree',
    flows: [flow('inner', '  - one: { tool: demo/no_op, with: { v: =input.v }, returns: { v: integer } }\n', 'input: { v: integer }\n')],
    flow: flow('outer', '  - got: { flow: lab/inner, with: { v: 41 }, returns: { v: integer } }\noutput: { v: =got.v }\n'),
    expected: { status: 'completed', output: { v: 42 }, child: { flow: 'lab/inner', status: 'completed', sameTree: true } },
    seen: async ({ lab, name }) => {
      const runId = await lab.start(name)
      const result = await lab.ended(runId)
      const { flow: of, status, rootRunId } = await childOf(lab, runId)
      return { ...brief(result), child: { flow: of, status, sameTree: rootRunId === runId } }
    },
  },
  {
    pattern: 'sub-flow: limits of its own',
    flows: [flow('inner-long', '  - a: { set: 1 }\n  - b: { set: 2 }\n  - c: { set: 3 }\n')],
    flow: flow('outer-limits', '  - got: { flow: lab/inner-long, limits: { steps: 2 }, onLimit: { set: { why: =fault.code } } }\n'),
    expected: { status: 'completed', output: { why: 'limit.steps_exceeded' }, degraded: ['limit.steps_exceeded'] },
  },
  {
    pattern: 'sub-flow: the parent is cancelled, so is the child',
    flows: [INNER],
    flow: flow('outer-cancelled', '  - got: { flow: lab/inner-cancelled }\n'),
    expected: { parent: 'cancelled', child: 'cancelled' },
    seen: async ({ lab, name }) => {
      const runId = await lab.start(name)
      const child = await childOf(lab, runId)
      await lab.reaches(child.runId, 'waiting')
      await lab.act(runId, 'cancel', { reason: 'enough' })
      await Promise.all([runId, child.runId].map((each) => lab.ended(each)))
      const [parent, below] = await Promise.all([runId, child.runId].map((each) => lab.show(each)))
      return { parent: parent.status, child: below.status }
    },
  },
  {
    pattern: 'wait for a time',
    flow: flow('wait', `  - calm: { wait: ${WAIT_MS}ms }\n  - last: { set: done }\n`),
    expected: { status: 'completed', output: 'done', wasWaiting: true, longEnough: true },
    seen: async ({ lab, name }) => {
      const runId = await lab.start(name)
      await lab.reaches(runId, 'waiting')
      const result = await lab.ended(runId)
      const { startedAtMs, endedAtMs } = await lab.show(runId)
      return { ...brief(result), wasWaiting: true, longEnough: endedAtMs - startedAtMs >= WAIT_MS }
    },
  },
  {
    pattern: 'wait for an event that comes in time',
    flow: forOrder('event', '1m'),
    expected: { status: 'completed', output: { amount: 12 } },
    seen: async ({ lab, name }) => {
      const runId = await lab.start(name, order)
      await lab.reaches(runId, 'waiting')
      await lab.send(runId, 'payment/confirmed', { order: 'another', amount: 7 })
      await lab.send(runId, 'payment/confirmed', { ...order, amount: 12 })
      return brief(await lab.ended(runId))
    },
  },
  {
    pattern: 'an event that comes too early is kept',
    flow: forOrder('early-event', '1m', `\n  - first: { tool: world/see, with: { what: early-event, holds: true } }`),
    expected: { status: 'completed', output: { amount: 13 } },
    seen: async ({ lab, name }) => {
      const runId = await lab.start(name, order)
      await lab.until('the step before', async () => lab.world.calls('early-event').length === 1)
      await lab.cli('send', runId, 'payment/confirmed', '--data', JSON.stringify({ ...order, amount: 13 }))
      lab.world.letGo('early-event')
      return brief(await lab.ended(runId))
    },
  },
  {
    pattern: 'an event that never comes: onTimeout',
    flow: forOrder('never', '800ms'),
    input: order,
    expected: { status: 'completed', output: { amount: 0 }, degraded: ['step.timed_out'] },
  },
  {
    pattern: 'emit: the event is on its topic, and starts another flow',
    flows: [
      `flow: lab/told@1.0.0\ninput: { order: string }\ntriggers:\n  - { topic: lab.orders, key: =event.order, input: { order: =event.order } }\nsteps:\n  - heard: { tool: world/see, with: { what: told, v: =input.order } }\n`,
    ],
    flow: flow('emit', '  - told: { emit: lab.orders, with: { order: o-77 } }\n  - last: { set: told }\n'),
    expected: { status: 'completed', output: 'told', heard: ['o-77'] },
    seen: async ({ lab, name }) => {
      const result = brief(await lab.run(name))
      await lab.until('the event to be heard', async () => lab.world.calls('told').length > 0)
      return { ...result, heard: lab.world.calls('told').map(({ args }) => args.v) }
    },
  },
  {
    pattern: 'a schedule starts runs',
    flow: `flow: lab/clock@1.0.0\ninput: { at: string }\ntriggers:\n  - { every: 1s, input: { at: =event.time } }\nsteps:\n  - tick: { tool: world/see, with: { what: tick, v: =input.at } }\n`,
    expected: { runs: 'two or more', times: 'differ' },
    seen: async ({ lab }) => {
      await lab.until('two ticks', async () => lab.world.calls('tick').length >= 2)
      const { items } = await lab.good('GET', '/v1/triggers?flow=lab/clock')
      await lab.good('POST', `/v1/triggers/${items[0].id}:pause`, {})
      const times = lab.world.calls('tick').map(({ args }) => args.v)
      return { runs: times.length >= 2 ? 'two or more' : times.length, times: new Set(times).size === times.length ? 'differ' : times }
    },
  },
  {
    pattern: 'an HTTP request starts a run',
    flow: `flow: lab/hook@1.0.0\ninput: { text: string }\ntriggers:\n  - { http: POST /lab/hook, input: { text: =event.text } }\nsteps:\n  - heard: { tool: world/see, with: { what: hook, v: =input.text } }\n`,
    expected: { accepted: true, heard: ['hello'] },
    seen: async ({ lab }) => {
      const { status } = await lab.http('POST', '/hooks/lab/hook', { text: 'hello' })
      await lab.until('the request to be heard', async () => status >= 300 || lab.world.calls('hook').length > 0)
      return { accepted: status < 300 || status, heard: lab.world.calls('hook').map(({ args }) => args.v) }
    },
  },
]
