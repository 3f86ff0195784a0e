import { describe, expect, it } from '@jest/globals'
import { eventsOf, runHistory } from './journal.fixture.ts'
import { traceRowsOf } from './trace-rows.policy.ts'

const history = runHistory('run_1', { labels: { team: 'a' } })
const events = eventsOf(history)

describe('rows of the journal', () => {
  it('J1: start and end of a run make one row, in either order', () => {
    const [forward, backward] = [traceRowsOf(events), traceRowsOf([...events].reverse())]
    expect(forward.runs).toEqual(backward.runs)
    expect(forward.runs).toMatchObject([
      {
        run_id: 'run_1',
        status: 'completed',
        started_at_ms: 1_000,
        ended_at_ms: 2_060,
        latency_ms: 1_065,
        labels: { team: 'a' },
        escalated: true,
      },
    ])
  })

  it('J2: a repeat adds nothing', () => {
    expect(traceRowsOf([...events, ...events])).toEqual(traceRowsOf(events))
  })

  it('J3: the end of an attempt replaces its open states; without it they stay', () => {
    const steps = traceRowsOf(events).steps.map(({ path, attempt, status }) => `${path}/${attempt} ${status}`)
    expect(steps).toEqual(['classify/1 failed', 'classify/2 completed', 'classify/human/1 completed'])
    expect(traceRowsOf(events.slice(0, 3)).steps.map(({ status }) => status)).toEqual(['dispatched', 'waiting'])
  })

  it('G1: a step row holds model, lengths, times, confidence, cost and error', () => {
    const { steps } = traceRowsOf(events)
    expect(steps.find(({ status }) => status === 'completed')).toMatchObject({
      model: 'gpt-large',
      latency_ms: 25,
      cost_micro_usd: 150,
      error_code: null,
      facts: {
        by: 'model:gpt-large',
        inputChars: 120,
        outputChars: 40,
        queuedMs: 2,
        confidence: 0.7,
        tries: 2,
        failedOver: ['model.rate_limited'],
      },
    })
    expect(steps[0]).toMatchObject({ status: 'failed', error_code: 'step.lease_lost', latency_ms: 25 })
  })

  it('J4: the trace holds no content, only references to it', () => {
    const { results: _published, ...rows } = traceRowsOf(events)
    expect(JSON.stringify(rows)).not.toContain('secret')
    const { facts } = rows.steps.find(({ path, status }) => path === 'classify' && status === 'completed') ?? {}
    expect(facts).toMatchObject({ contentRef: { sha256: 'c'.repeat(64) }, outputRef: { sha256: 'd'.repeat(64) } })
  })
})
