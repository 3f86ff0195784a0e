// Rows: what happens when something fails, takes too long or is too much.
import { brief } from './lab.mjs'

const flow = (name, steps, more = '') => `flow: lab/${name}@1.0.0\nlimits: { time: 2m, steps: 50 }\n${more}steps:\n${steps}`
const see = (what, more) => `tool: world/see, with: { what: ${what}, ${more} }`
const FAILS = 'fails: tool.arguments_invalid'
const saga = (name, last) =>
  flow(
    name,
    `  - room: { tool: world/act, with: { what: ${name}.room, v: 1 }, undo: { tool: world/act, with: { what: ${name}.room-back, v: =it.v } } }
  - seat: { tool: world/act, with: { what: ${name}.seat, v: 2 }, undo: { tool: world/act, with: { what: ${name}.seat-back, v: =it.v } } }
${last}`,
  )
const effects = (lab, runId, name) => lab.world.order(runId).map((what) => what.replace(`${name}.`, ''))

export const rows = [
  {
    pattern: 'retries: the third try succeeds',
    flow: flow('retry', `  - flaky: { tool: world/flaky, with: { what: retry }, retry: { attempts: 3, backoff: fixed, delay: 50ms } }\n`),
    expected: { status: 'completed', output: { v: 3 }, tries: 3 },
    seen: async ({ lab, name }) => ({ ...brief(await lab.run(name)), tries: lab.world.calls('retry').length }),
  },
  {
    pattern: 'undo in reverse order when a later step fails',
    flow: saga('saga', `  - paid: { ${see('saga.pay', FAILS)} }\n`),
    expected: { status: 'failed', fault: 'tool.arguments_invalid', did: ['room', 'seat', 'pay', 'seat-back', 'room-back'], with: [2, 1] },
    seen: async ({ lab, name }) => {
      const runId = await lab.start(name)
      const result = brief(await lab.ended(runId))
      const given = ['saga.seat-back', 'saga.room-back'].map((what) => lab.world.calls(what)[0]?.args.v)
      return { ...result, did: effects(lab, runId, 'saga'), with: given }
    },
  },
  {
    pattern: 'cancel takes effects back',
    flow: saga('cancelled', '  - held: { wait: { event: never } }\n'),
    expected: { status: 'cancelled', fault: 'run.cancelled', did: ['room', 'seat', 'seat-back', 'room-back'] },
    seen: async ({ lab, name }) => {
      const runId = await lab.start(name)
      await lab.reaches(runId, 'waiting')
      await lab.cli('runs', 'cancel', runId, '--reason', 'changed my mind')
      return { ...brief(await lab.ended(runId)), did: effects(lab, runId, 'cancelled') }
    },
  },
  {
    pattern: 'cancel without undo leaves them',
    flow: saga('left', '  - held: { wait: { event: never } }\n'),
    expected: { status: 'cancelled', fault: 'run.cancelled', did: ['room', 'seat'] },
    seen: async ({ lab, name }) => {
      const runId = await lab.start(name)
      await lab.reaches(runId, 'waiting')
      await lab.act(runId, 'cancel', { undo: false })
      return { ...brief(await lab.ended(runId)), did: effects(lab, runId, 'left') }
    },
  },
  {
    pattern: 'failover to another step',
    flow: flow('failover', `  - answer: { ${see('failover', FAILS)}, failover: { ${see('failover.other', 'gives: other')} } }\n`),
    expected: { status: 'completed', output: 'other' },
    seen: async ({ lab, name }) => {
      const { status, output } = await lab.run(name)
      return { status, output }
    },
  },
  {
    pattern: 'failover to another model',
    flow: flow(
      'models',
      '  - answer: { model: [down, says-yes], prompt: Is it so?, returns: { verdict: yes | no } }\noutput: { verdict: =answer.verdict, by: =answer.by }\n',
    ),
    expected: { status: 'completed', output: { verdict: 'yes', by: 'model:says-yes' } },
    seen: async ({ lab, name }) => {
      const { status, output } = await lab.run(name)
      return { status, output }
    },
  },
  {
    pattern: 'onError of a step, the fault at hand',
    flow: flow(
      'on-error',
      `  - answer: { ${see('on-error', FAILS)}, onError: { set: { because: =fault.code }, then: next } }\noutput: { because: =answer.because }\n`,
    ),
    expected: { status: 'completed', output: { because: 'tool.arguments_invalid' }, degraded: ['tool.arguments_invalid'] },
  },
  {
    pattern: 'onError of the flow',
    flow: flow('flow-error', `  - answer: { ${see('flow-error', FAILS)} }\n`, 'onError: { set: { sorry: =fault.code }, then: end }\n'),
    expected: { status: 'completed', output: { sorry: 'tool.arguments_invalid' }, degraded: ['tool.arguments_invalid'] },
  },
  {
    pattern: 'onTimeout',
    flow: flow(
      'on-timeout',
      `  - answer: { ${see('on-timeout', 'holds: 20000')}, timeout: 400ms, onTimeout: { set: late, then: next } }\n`,
    ),
    expected: { status: 'completed', output: 'late', fault: 'made good' },
    seen: async ({ lab, name }) => {
      const { status, output, degraded } = await lab.run(name)
      return { status, output, fault: degraded?.some((code) => code.includes('timed_out')) ? 'made good' : degraded }
    },
  },
  {
    pattern: 'onLimit of a step: its budget',
    flow: flow(
      'on-limit',
      '  - all: { map: "=[1, 2, 3]", concurrency: 1, each: { model: dear, prompt: "Is it {{ item }}?" }, budget: { cost: 0.015 USD }, onLimit: { set: too dear } }\n',
    ),
    expected: { status: 'completed', output: 'too dear', degraded: ['limit.cost_exceeded'] },
  },
  {
    pattern: 'onLimit of the flow: its steps',
    flow: `flow: lab/flow-limit@1.0.0\nlimits: { steps: 3 }\nonLimit: { set: { why: =fault.code }, then: end }\nsteps:\n${['a', 'b', 'c', 'd', 'e'].map((name) => `  - ${name}: { set: 1 }\n`).join('')}`,
    expected: { status: 'completed', output: { why: 'limit.steps_exceeded' }, degraded: ['limit.steps_exceeded'] },
  },
  {
    pattern: 'what is missing is named: degraded',
    flow: flow(
      'degraded',
      `  - mood: { ${see('mood', FAILS)}, onError: { set: null, then: next } }\n  - name: { ${see('name', 'gives: Ada')} }\noutput: { name: =name, mood: =mood }\n`,
    ),
    expected: { status: 'completed', output: { name: 'Ada', mood: null }, degraded: ['tool.arguments_invalid'] },
  },
]
