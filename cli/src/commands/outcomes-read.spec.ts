import { describe, expect, it } from '@jest/globals'
import type { Api } from '../api.ts'
import { readReviewedOutcomes } from './outcomes-read.ts'

const never = (): Promise<never> => Promise.reject(new Error('not asked for'))
/** A running system that knows these answers. */
const systemOf = (answers: Readonly<Record<string, unknown>>): Api => ({
  url: 'http://127.0.0.1:8080',
  // The caller names the shape.
  get: <T>(path: string) => (path in answers ? Promise.resolve(answers[path] as T) : never()),
  text: (path) => (path in answers ? Promise.resolve(String(answers[path])) : never()),
  post: never,
  put: never,
  patch: never,
})

describe('outcomes of a running system (F4)', () => {
  it('Y1: what a person approved was right, what was edited was not; the answer is the last before the person', async () => {
    const steps = [
      { path: 'draft', seq: 1, status: 'completed', model: 'small', contentRef: { sha256: 'aa' }, children: [] },
      {
        path: 'loop',
        seq: 2,
        status: 'completed',
        children: [
          {
            path: 'loop/again',
            seq: 4,
            status: 'completed',
            model: 'large',
            contentRef: { sha256: 'bb' },
            earlier: [{ path: 'loop/again', seq: 3, status: 'failed', model: 'small' }],
          },
        ],
      },
      { path: 'check', seq: 6, status: 'completed', children: [] },
      { path: 'after', seq: 9, status: 'completed', model: 'small', contentRef: { sha256: 'cc' } },
    ]
    const system = systemOf({
      '/v1/reviews/learned/cases?flow=bank%2Fclaims&days=30&after=&limit=500': [
        { id: 't1', runId: 'r1', path: 'check', verdict: 'edit' },
        { id: 't2', runId: 'r2', path: 'check', verdict: 'approve' },
        { id: 't3', runId: 'r3', path: 'check', verdict: 'approve' },
      ]
        .map((one) => `${JSON.stringify(one)}\n`)
        .join(''),
      '/v1/runs/r1/trace': { steps },
      '/v1/runs/r2/trace': { steps: [steps[0], steps[2]] },
      '/v1/runs/r3/trace': { steps: [steps[2]] },
      '/v1/runs/r1/payloads/bb': { prompt: 'Is this a claim?', output: { claim: true } },
      '/v1/runs/r2/payloads/aa': { prompt: 'And this?', output: 'yes' },
    })
    const heard: number[] = []
    expect(await readReviewedOutcomes(system, { flow: 'bank/claims', days: 30 }, (done) => heard.push(done))).toEqual([
      { prompt: 'Is this a claim?', ok: { large: false }, answers: { large: '{"claim":true}' } },
      { prompt: 'And this?', ok: { small: true }, answers: { small: 'yes' } },
    ])
    expect(heard).toEqual([1, 2, 3])
  })
})
