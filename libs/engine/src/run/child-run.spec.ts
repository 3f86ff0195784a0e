import { describe, expect, it } from '@jest/globals'
import type { LogMessage, Output } from '../decision.ts'
import { completed, failed, given, paused, play, programOf, requested, resultIn, resumed, RUN, START_MS } from '../testing.ts'

const parent = programOf(`limits: { time: 60s, total: 1d, steps: 20, cost: 1 USD, depth: 2 }
steps:
  - one: { tool: x/one }
  - refund: { flow: support/refund@stable, with: { order: T-1 }, limits: { time: 10s, cost: 0.20 USD } }
output: { refund: =refund }
`)
const child = programOf(
  'flow: support/refund@1.0.0\nlimits: { time: 30s, steps: 5 }\ninput: { order: string }\nsteps:\n  - pay: { tool: bank/pay, with: { order: =input.order } }\n',
)
const pin = { flow: 'support/refund', version: '1.0.0', planHash: child.plan.hash, params: {} }
const start = requested({}, { engineVersion: 2, flows: { 'support/refund@stable': pin } })

const appended = (outputs: readonly Output[]): readonly LogMessage[] =>
  outputs.flatMap((output) => (output.to === 'log' ? [output.message] : []))
const begun = (): LogMessage & { name: 'run.requested' } => {
  const [message] = appended(given(parent, start).when(completed('one/1', null, { costMicroUsd: 900_000 })).outputs)
  if (message?.name !== 'run.requested') throw new Error('no child run')
  return message
}

describe('a step that is a flow (A8)', () => {
  it('C1, C2: begins a run with what was pinned, told where it belongs', () => {
    expect(begun().data).toMatchObject({
      flow: 'support/refund',
      planHash: child.plan.hash,
      input: { order: 'T-1' },
      parent: { runId: RUN, attemptId: `${RUN}/refund/1`, path: 'refund' },
      rootRunId: RUN,
      effectBase: `${RUN}/refund/1`,
    })
    expect(begun().data.runId).toBe(begun().data.runId)
  })

  it('C3: its limits are inside those of its parent', () => {
    expect(begun().data.limits).toMatchObject({ timeMs: 10_000, steps: 18, costMicroUsd: 100_000, depth: 1 })
    const story = play(child, [begun()])
    expect(story.state).toMatchObject({ limits: { timeMs: 10_000, steps: 5, costMicroUsd: 100_000 } })
  })

  const inChild = (attempt: string, message: LogMessage): LogMessage => {
    const { runId } = begun().data
    const { data } = message
    return { ...message, data: { ...data, runId, attemptId: `${runId}/${attempt}` } } as LogMessage
  }

  it('C1: its end is an answer to the step, the same on every repeat', () => {
    const story = play(child, [begun(), inChild('pay/1', completed('pay/1', { paid: true }, { costMicroUsd: 30 }))])
    const [answer] = appended(story.outputs)
    expect(resultIn(story.outputs)).toBeUndefined()
    expect(answer).toMatchObject({
      name: 'step.completed',
      data: {
        runId: RUN,
        attemptId: `${RUN}/refund/1`,
        output: { paid: true },
        by: 'flow:support/refund',
        child: { costMicroUsd: 30, steps: 1 },
      },
    })
    const after = given(parent, start, completed('one/1'))
    expect(resultIn(after.when(answer ?? completed('one/1')).outputs)?.result).toMatchObject({
      output: { refund: { paid: true, by: 'flow:support/refund' } },
      metrics: { steps: 3, costUsd: 0.00003 },
    })
    expect(appended(play(child, [begun()], story).decision?.outputs ?? [])).toEqual([answer])
  })

  it('its failure is that of the step', () => {
    const story = play(child, [begun(), inChild('pay/1', failed('pay/1'))])
    const [answer] = appended(story.outputs)
    expect(answer).toMatchObject({ name: 'step.failed', data: { fault: { code: 'tool.failed' } } })
    expect(resultIn(given(parent, start, completed('one/1')).when(answer ?? completed('one/1')).outputs)?.result.fault?.code).toBe(
      'tool.failed',
    )
  })

  it('ends with its parent', () => {
    const cancelled: LogMessage = { name: 'run.cancel', data: { runId: RUN, by: 'ada', reason: 'no' } }
    const outputs = given(parent, start, completed('one/1')).when(cancelled).outputs
    expect(appended(outputs)).toMatchObject([{ name: 'run.cancel', data: { runId: begun().data.runId } }])
  })

  it('Q1: rests and goes on with its parent', () => {
    const { runId } = begun().data
    expect(appended(given(parent, start, completed('one/1')).when(paused()).outputs)).toMatchObject([
      { name: 'run.pause', data: { runId } },
    ])
    expect(appended(given(parent, start, completed('one/1'), paused()).when(resumed()).outputs)).toMatchObject([
      { name: 'run.resume', data: { runId } },
    ])
  })

  it('the working time of the parent rests, and that of the child counts', () => {
    const during = given(parent, start, completed('one/1'))
    expect(during.state).toMatchObject({ clock: { sinceMs: null } })
    const { runId } = begun().data
    const answer: LogMessage = {
      name: 'step.completed',
      data: {
        runId: RUN,
        attemptId: `${RUN}/refund/1`,
        output: null,
        child: { workedMs: 4_000, steps: 1, tokens: 0, calls: 0, costMicroUsd: 0 },
      },
    }
    expect(runId).not.toBe(RUN)
    expect(resultIn(during.when({ atMs: 50_000, message: answer }).outputs)?.result.metrics).toMatchObject({ workingMs: 4_001 })
    expect(START_MS).toBeGreaterThan(0)
  })

  it('flows do not start flows deeper than they may, nor flows that were not pinned', () => {
    const deep = requested({}, { engineVersion: 2, flows: { 'support/refund@stable': pin }, limits: { depth: 0 } })
    expect(resultIn(play(parent, [deep, completed('one/1')]).outputs)?.result.fault?.code).toBe('limit.depth_exceeded')
    expect(resultIn(play(parent, [requested({}, { engineVersion: 2 }), completed('one/1')]).outputs)?.result.fault?.code).toBe(
      'flow.unknown',
    )
  })
})
