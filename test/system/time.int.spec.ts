// Time: of one try, between tries, of the run, and what the request allows (slice 4, A11, B6, R4, R5). No timing is asserted, only what it leads to.
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { callTimes, plan } from './effect-tools.ts'
import { openSystem, type System } from './system.ts'

const flow = (name: string, limits: string, steps: string): string => `
flow: test/${name}@1.0.0
limits: ${limits}
input: { text: string }
steps:
${steps}
onError: { tool: ops/log_error, with: { code: =fault.code, message: =fault.message } }
`
const look = (more: string): string => `
  - found:
      tool: test/look
      with: { text: =input.text }
${more.replaceAll(/^/gm, '      ')}
`
const DELAY_MS = 40
const tries = (backoff: string): string => `retry: { attempts: 4, backoff: ${backoff}, delay: ${DELAY_MS}ms, jitter: false }`

const FLOWS = {
  'tools/tools/tools.mjs': `export * from ${JSON.stringify(join(import.meta.dirname, 'effect-tools.ts'))}\n`,
  'fixed/flow.yaml': flow('fixed', '{ time: 30s }', look(tries('fixed'))),
  'exponential/flow.yaml': flow('exponential', '{ time: 30s }', look(tries('exponential'))),
  'hurried/flow.yaml': flow(
    'hurried',
    '{ time: 3s }',
    look('timeout: 150ms\nretry: { attempts: 2, backoff: fixed, delay: 10ms, jitter: false }'),
  ),
  'made-good/flow.yaml': flow('made-good', '{ time: 3s }', look('timeout: 150ms\nonError: { set: { found: nothing }, then: next }')),
  'limited/flow.yaml': flow('limited', '{ time: 600ms }', look('')),
  'old/flow.yaml': flow('old', '{ time: 600ms, total: 600ms }', look('')),
  'roomy/flow.yaml': flow('roomy', '{ time: 30s }', look('')),
  'long/flow.yaml': flow('long', '{ steps: 2 }', '  - a: { set: { n: 1 } }\n  - b: { set: { n: 2 } }\n  - c: { set: { n: 3 } }'),
}

jest.setTimeout(60_000)
let system: System
beforeAll(async () => {
  system = await openSystem({ flows: FLOWS })
})
afterAll(() => system.close())

/** Runs a flow about a text, with what the tool does at each call. */
const run = async (
  name: string,
  text: string,
  { mishaps = [], ...more }: { mishaps?: Parameters<typeof plan>[1][]; deadlineMs?: number } = {},
) => {
  plan(text, ...mishaps)
  const { result } = await system.request({ id: text, flow: `test/${name}`, input: { text }, ...more })
  return result
}
type Step = { readonly done?: string; readonly tries?: number | undefined; readonly failed?: string }
const stepsOf = (runId: string): readonly Step[] =>
  system.journal(runId).flatMap((event): readonly Step[] => {
    if (event.name === 'journal.step.completed') return [{ done: event.data.by, tries: event.data.meter?.tries }]
    return event.name === 'journal.step.failed' ? [{ failed: event.data.fault.code }] : []
  })
const pauses = (text: string): readonly number[] => {
  const times = callTimes(text)
  return times.slice(1).map((atMs, index) => atMs - (times[index] ?? 0))
}
/** Timers may ring a fraction of a millisecond early. */
const CLOCK_MS = 2

describe('tries of one dispatch (B6)', () => {
  const failing = { mishaps: ['refuse before', 'refuse before', 'refuse before'] as Parameters<typeof plan>[1][] }

  it('fixed: every pause is at least the delay, and the journal counts the tries', async () => {
    const { status, runId } = await run('fixed', 'fixed pauses', failing)
    expect(status).toBe('completed')
    expect(stepsOf(runId)).toMatchObject([{ done: 'tool:test/look', tries: 4 }])
    expect(pauses('fixed pauses').map((pauseMs) => pauseMs >= DELAY_MS - CLOCK_MS)).toEqual([true, true, true])
  })

  it('exponential: every pause is at least twice the one the plan had before', async () => {
    const { status, runId } = await run('exponential', 'growing pauses', failing)
    expect(status).toBe('completed')
    expect(stepsOf(runId)).toMatchObject([{ done: 'tool:test/look', tries: 4 }])
    expect(pauses('growing pauses').map((pauseMs, index) => pauseMs >= DELAY_MS * 2 ** index - CLOCK_MS)).toEqual([true, true, true])
  })
})

describe('time of one try', () => {
  it('a tool that hangs is left, tried again, and fails the step when it never answers', async () => {
    const result = await run('hurried', 'always hanging', { mishaps: Array.from({ length: 9 }, () => 'hang after' as const) })
    expect(result).toMatchObject({ status: 'failed', fault: { code: 'tool.timed_out', detail: { tool: 'test/look' } } })
    expect(stepsOf(result.runId)).toMatchObject([{ failed: 'tool.timed_out' }, { done: 'tool:ops/log_error' }])
    expect(callTimes('always hanging')).toHaveLength(2)
  })

  it('E1: the handler of the step makes it good, and the result says so', async () => {
    const result = await run('made-good', 'made good', { mishaps: Array.from({ length: 9 }, () => 'hang after' as const) })
    expect(result).toMatchObject({ status: 'completed', output: { found: 'nothing' } })
  })
})

describe('time of the run (A11)', () => {
  const HANGING = { mishaps: ['hang after'] as Parameters<typeof plan>[1][] }

  it('R4: working time that is used up fails the run with limit.time_exceeded, and the handler of the flow reports it', async () => {
    const result = await run('limited', 'out of time', HANGING)
    expect(result).toMatchObject({ status: 'failed', fault: { code: 'limit.time_exceeded' } })
    expect(stepsOf(result.runId)).toContainEqual(expect.objectContaining({ done: 'tool:ops/log_error' }))
  })

  it('R4: so does the total time', async () => {
    expect(await run('old', 'too old', HANGING)).toMatchObject({ status: 'failed', fault: { code: 'limit.total_exceeded' } })
  })

  it('deadlineMs of a request lowers the working time', async () => {
    expect(await run('roomy', 'in a hurry', { ...HANGING, deadlineMs: 400 })).toMatchObject({
      status: 'failed',
      fault: { code: 'limit.time_exceeded' },
    })
    expect(await run('roomy', 'in less of a hurry', { deadlineMs: 20_000 })).toMatchObject({
      status: 'completed',
      output: { found: 'in less of a hurry' },
    })
  })

  it('deadlineMs of a request never raises it', async () => {
    expect(await run('limited', 'all the time there is', { ...HANGING, deadlineMs: 600_000 })).toMatchObject({
      fault: { code: 'limit.time_exceeded' },
    })
  })

  it('R5: a step beyond the limit of steps is not begun', async () => {
    expect(await run('long', 'a step too far')).toMatchObject({ status: 'failed', fault: { code: 'limit.steps_exceeded' } })
  })
})
