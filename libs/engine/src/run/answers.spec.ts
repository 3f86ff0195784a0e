import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { decide } from './run.decider.ts'
import type { LogMessage, Output } from '../decision.ts'
import {
  askedFor,
  cancelled,
  completed,
  continued,
  given,
  inWords,
  play,
  programOf,
  requested,
  resultIn,
  RUN,
  START_MS,
  woken,
  type Story,
} from '../testing.ts'
import { OUTPUTS_MAX } from './advance.ts'

const THREE = programOf(`
input: { text: string }
results: { topic: shop.results }
steps:
  - a: 'A {{ input.text }}'
  - b: 'B {{ a }}'
  - c: 'C {{ b }}'
`)
const start = requested({ text: 'a' })
const answers = ['a', 'b', 'c'].map((step) => completed(`${step}/1`, `${step}!`, { costMicroUsd: 10 }))

/** Answers what was asked for and not answered yet, until nothing is. */
const playOut = (records: readonly LogMessage[]): Story => {
  let story = play(THREE, [start, ...records])
  for (const step of ['a', 'b', 'c']) {
    if (resultIn(story.outputs) === undefined) story = play(THREE, [completed(`${step}/1`, `${step}!`, { costMicroUsd: 10 })], story)
  }
  return story
}

describe('answers that come more than once, late or in any order', () => {
  it('R2: of an attempt that was answered are recorded, not billed, and change nothing', () => {
    given(THREE, start, completed('a/1', 'a!', { costMicroUsd: 10 }))
      .when(completed('a/1', 'other', { costMicroUsd: 10 }))
      .emits('ignored a/1 duplicate 0')
  })

  it('R2: of an attempt that never was are recorded and not billed', () => {
    given(THREE, start)
      .when({ name: 'step.completed', data: { runId: RUN, attemptId: 'run_2/a/1', output: null } })
      .emits('ignored run_2/a/1 unknown 0')
    given(THREE, start).when(completed('__proto__/1')).emits('ignored __proto__/1 duplicate 0')
  })

  it('R2, R6: any repetition and order of them ends in the same result, cost included', () => {
    const expected = resultIn(play(THREE, [start, ...answers]).outputs)?.result
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 2 }), { maxLength: 12 }), (order) => {
        const story = playOut(order.flatMap((index) => answers.slice(index, index + 1)))
        const results = story.outputs.filter(({ to }) => to === 'result')
        expect(results).toHaveLength(1)
        const { metrics, ...result } = resultIn(results)?.result ?? { metrics: undefined }
        expect({ ...result, metrics: { ...metrics, latencyMs: 0, workingMs: 0 } }).toEqual({
          ...expected,
          metrics: { ...expected?.metrics, latencyMs: 0, workingMs: 0 },
        })
      }),
      { numRuns: 100 },
    )
  })

  it('R1: the same history gives the same outputs, ids included', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...answers, start, woken(), cancelled()), { maxLength: 10 }), (records) => {
        expect(play(THREE, [start, ...records]).outputs).toEqual(play(THREE, [start, ...records]).outputs)
      }),
      { numRuns: 50 },
    )
  })
})

describe('what is kept of an ended run', () => {
  it('S3: is its result, what it spent and the attempts that may still be billed', () => {
    const { state } = given(THREE, start, completed('a/1', 'a!', { costMicroUsd: 10 }), cancelled())
    expect(Object.keys(state ?? {}).sort()).toEqual(
      [
        'again',
        'atMs',
        'engineVersion',
        'formatVersion',
        'lost',
        'planHash',
        'requestedAtMs',
        'result',
        'runId',
        'seq',
        'spend',
        'status',
        'tenant',
      ].sort(),
    )
    expect(state).toMatchObject({ lost: ['b/1'], spend: { costMicroUsd: 10, steps: 2 } })
  })

  it('S2: is left as it was by a record that is refused or comes too late to matter', () => {
    const { state } = given(THREE, start, ...answers)
    const before = JSON.stringify(state)
    expect(JSON.stringify(given(THREE, start, ...answers).when(cancelled()).state)).toBe(before)
    expect(JSON.stringify(given(THREE, start, ...answers).when(start).state)).toBe(before)
  })
})

describe('a request that comes again', () => {
  it('R6: finds its run at work, and changes nothing', () => {
    given(THREE, start)
      .when(requested({ text: 'other' }))
      .emits()
  })

  it('R6: gets the same result with the same id', () => {
    const ended = given(THREE, start, ...answers)
    const again = ended.when(start)
    again.emits('result completed to shop.results')
    expect(again.outputs).toEqual(ended.outputs.filter(({ to }) => to === 'result'))
  })
})

describe('records of a run that is not there', () => {
  const decideNothing = (message: LogMessage) => decide(undefined, { message, atMs: START_MS, partition: 0, offset: 0 }, THREE)
  it('R8: are refused with the reason', () => {
    expect(decideNothing(completed('a/1'))).toMatchObject({ state: undefined, outputs: [], refused: { code: 'request.not_found' } })
    expect(decideNothing(requested({}, { engineVersion: 99 }))).toMatchObject({ state: undefined, refused: { code: 'engine.unsupported' } })
  })

  it('are of no use to anyone when they only wake it', () => {
    expect(decideNothing(woken())).toEqual({ state: undefined, outputs: [] })
    expect(decideNothing(continued(1))).toEqual({ state: undefined, outputs: [] })
  })
})

describe('large outputs', () => {
  it('go by reference: fields that are inline are read, others are handed on', () => {
    const program = programOf(`
input: { text: string }
steps:
  - docs: { tool: shop/docs }
  - told: { tool: shop/tell, with: { count: =docs.count, text: =docs.pages.text } }
`)
    const outputRef = { sha256: 'a'.repeat(64), sizeBytes: 99_999, mediaType: 'application/json' }
    const told = given(program, start).when(completed('docs/1', { count: 2 }, { outputRef }))
    expect(askedFor(told.outputs, 'told')?.input).toMatchObject({ count: 2, text: { $payload: outputRef } })
    const direct = given(programOf('input: { text: string }\nsteps:\n  - docs: { tool: shop/docs }\n'), start).when(
      completed('docs/1', { count: 2 }, { outputRef }),
    )
    expect(resultIn(direct.outputs)?.result).toMatchObject({ output: { count: 2 }, outputRef })
    const named = given(programOf('input: { text: string }\nsteps:\n  - docs: { tool: shop/docs }\noutput: =docs\n'), start).when(
      completed('docs/1', { count: 2 }, { outputRef }),
    )
    expect(resultIn(named.outputs)?.result).toMatchObject({ outputRef })
    expect(resultIn(named.outputs)?.result).not.toHaveProperty('output')
  })
})

describe('much to do at once', () => {
  const steps = Array.from({ length: 600 }, (_, index) => `  - s${index}: { set: { n: ${index} } }`).join('\n')
  const LONG = programOf(`limits: { steps: 1000 }\ninput: { text: string }\nsteps:\n${steps}\n`)
  const continuing = (outputs: readonly Output[]): number => outputs.filter(({ to }) => to === 'log').length

  it('L11, F1: causes a bounded number of outputs a record, and goes on with run.continue', () => {
    let story = play(LONG, [start])
    let seen = 0
    for (let records = 1; resultIn(story.outputs) === undefined && records < 10; records += 1) {
      expect(story.outputs.length - seen).toBeLessThanOrEqual(OUTPUTS_MAX)
      seen = story.outputs.length
      const last = story.outputs.at(-1)
      story = play(LONG, [last?.to === 'log' ? last.message : woken()], story)
    }
    expect(continuing(story.outputs)).toBe(2)
    expect(resultIn(story.outputs)?.result).toMatchObject({ status: 'completed', output: { n: 599 }, metrics: { steps: 600 } })
  })

  it('L11: other records do not hurry it, and a repeated run.continue does nothing', () => {
    const before = play(LONG, [start])
    const message = before.outputs.at(-1)
    if (message?.to !== 'log') throw new Error('no continuation')
    expect(play(LONG, [woken()], before).outputs).toHaveLength(before.outputs.length)
    const after = play(LONG, [message.message], before)
    expect(play(LONG, [message.message], after).outputs.slice(after.outputs.length).map(inWords)).toEqual([])
  })
})
