// Rows: what is done beside the work of a step: guards, buffers, the time of a whole.
import { brief } from './lab.mjs'

const flow = (name, steps, more = '') => `flow: lab/${name}@1.0.0\nlimits: { time: 2m, steps: 50 }\n${more}steps:\n${steps}`
const see = (what, more) => `tool: world/see, with: { what: ${what}${more === undefined ? '' : `, ${more}`} }`

export const rows = [
  {
    pattern: 'a guard takes out of the input what must not go in',
    flow: flow(
      'guard-in',
      `  - told: { ${see('guard-in', 'note: =input.text')}, guard: [{ pii: { on: input, action: redact } }] }\noutput: { v: =told.v }\n`,
      'input: { text: string }\n',
    ),
    input: { text: 'Write to ann.lee@example.com today.' },
    expected: { status: 'completed', arrived: false, redacted: true },
    seen: async ({ lab, name }) => {
      const { status } = brief(await lab.run(name, { text: 'Write to ann.lee@example.com today.' }))
      const [{ args }] = lab.world.calls('guard-in')
      return {
        status,
        arrived: JSON.stringify(args).includes('ann.lee@example.com'),
        redacted: args.note !== 'Write to ann.lee@example.com today.',
      }
    },
  },
  {
    pattern: 'a guard lets nothing out that it blocks; the step has failed',
    flow: flow(
      'guard-out',
      `  - told: { ${see('guard-out', 'gives: =input.text')}, guard: [{ pii: { on: output, action: block } }], onError: { set: { stopped: =fault.code }, then: next } }\noutput: =told\n`,
      'input: { text: string }\n',
    ),
    expected: { status: 'completed', output: { stopped: 'guard.blocked', by: 'set' }, degraded: ['guard.blocked'], asked: 1 },
    seen: async ({ lab, name }) => ({
      ...brief(await lab.run(name, { text: 'Her mail is ann.lee@example.com.' })),
      asked: lab.world.calls('guard-out').length,
    }),
  },
  {
    pattern: 'steps share a buffer: two side by side write, one reads, the oldest goes',
    flow: flow(
      'shared',
      `  - first: { ${see('shared.1', 'gives: one')}, writes: notes }
  - both: { parallel: { a: { ${see('shared.2', 'gives: two')}, writes: notes }, b: { ${see('shared.3', 'gives: three, holds: 200')}, writes: notes } } }
output: { notes: =buffers.notes }
`,
      'buffers: { notes: { expires: 10m, items: 2 } }\n',
    ),
    expected: { status: 'completed', output: { notes: ['two', 'three'] } },
  },
  {
    pattern: 'the time of a parallel is over: what is open is given up, onTimeout goes on',
    flow: flow(
      'late',
      `  - looks: { parallel: { quick: { ${see('late.quick')} }, slow: { ${see('late.slow', 'holds: 8000')} } }, timeout: 1s, onTimeout: { set: { late: =fault.code } } }\noutput: =looks\n`,
    ),
    expected: { status: 'completed', output: { late: 'step.timed_out', by: 'set' }, degraded: ['step.timed_out'] },
  },
]
