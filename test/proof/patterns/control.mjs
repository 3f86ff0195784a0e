// Rows: runs that are changed from outside while they are under way, or after.
import { brief } from './lab.mjs'

const ORDER = `flow: lab/order@1.0.0
params:
  share: { type: number, default: 0.5, min: 0, max: 1 }
input: { order: string, urgent: { type: boolean, default: false } }
steps:
  - first: { tool: world/see, with: { what: order.first, gives: =input.order } }
  - paid: { wait: { event: payment/confirmed, timeout: 1d } }
  - told: { set: { order: =first, urgent: =input.urgent, share: =params.share } }
`
const AGAIN = `flow: lab/again@1.0.0
steps:
  - first: { tool: world/see, with: { what: again.first } }
  - second: { tool: world/flaky, with: { what: again.second, fails: tool.arguments_invalid } }
output: { first: =first.n, second: =second.v }
`

export const rows = [
  {
    pattern: 'pause, patch, resume: nothing is asked for in between, what comes is kept',
    flow: ORDER,
    expected: {
      status: 'completed',
      output: { order: 'o1', urgent: true, share: 0.9 },
      whilePaused: 'paused',
      controls: ['paused ada', 'patched bob', 'resumed ada'],
    },
    seen: async ({ lab, name }) => {
      const runId = await lab.start(name, { order: 'o1' })
      await lab.reaches(runId, 'waiting')
      await lab.act(runId, 'pause', { reason: 'look first' })
      await lab.reaches(runId, 'paused')
      await lab.send(runId, 'payment/confirmed', {})
      await lab.good('PATCH', `/v1/runs/${runId}`, { by: 'bob', input: { urgent: true }, params: { share: 0.9 } })
      const { status } = await lab.show(runId)
      await lab.act(runId, 'resume')
      const result = brief(await lab.ended(runId))
      const { controls } = await lab.show(runId)
      return { ...result, whilePaused: status, controls: controls.map(({ action, by }) => `${action} ${by}`).toReversed() }
    },
  },
  {
    pattern: 'cancel on the command line',
    flow: ORDER.replace('lab/order', 'lab/order-cancelled'),
    expected: { status: 'cancelled', fault: 'run.cancelled' },
    seen: async ({ lab, name }) => {
      const runId = await lab.start(name, { order: 'o2' })
      await lab.reaches(runId, 'waiting')
      await lab.cli('runs', 'cancel', runId, '--reason', 'too late')
      return brief(await lab.ended(runId))
    },
  },
  {
    pattern: 'retry from a step: a run of its own, what came before is taken over',
    flow: AGAIN,
    expected: { before: 'failed', after: { status: 'completed', output: { first: 1, second: 3 } }, firstCalled: 1, sameTree: true },
    seen: async ({ lab, name }) => {
      const before = await lab.start(name)
      const { status } = await lab.ended(before)
      const { runId: middle } = await lab.act(before, 'retry', { from: 'second' })
      await lab.ended(middle)
      const { runId } = await lab.act(middle, 'retry', { from: 'second' })
      const after = brief(await lab.ended(runId))
      const { rootRunId } = await lab.show(runId)
      return { before: status, after, firstCalled: lab.world.calls('again.first').length, sameTree: rootRunId === before }
    },
  },
]
