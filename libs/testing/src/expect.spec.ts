import { AssertionError } from 'node:assert'
import { beforeAll, describe, expect, it } from '@jest/globals'
import { differencesOf, expectCost, expectOutput, expectPath, expectRun, type Expected } from './expect.ts'
import { flowTest, type TestRun } from './flow-test.ts'

let run: TestRun
beforeAll(async () => {
  run = await flowTest({
    flow: {
      steps: [
        { sort: { tool: 'desk/sort', returns: { about: 'card | refund' } } },
        { desk: { switch: '=sort.about', cases: { card: { tool: 'desk/card' }, refund: { human: { queue: 'refunds', sla: '2h' } } } } },
      ],
    },
    answers: { sort: { gives: { about: 'refund' }, cost: 0.01 } },
    people: { refunds: { decides: 'respond', output: { paid: [1, 2], note: 'done' }, after: '1h' } },
  }).run()
})

const first = (expected: Expected): string | undefined => differencesOf(run, expected)[0]?.message

describe('what is expected of a run', () => {
  it('holds where everything is as it says', () => {
    expectRun(run, {
      status: 'completed',
      output: { note: 'done' },
      path: ['sort', 'desk: refund'],
      notPath: ['desk: card'],
      asked: ['desk/sort', 'refunds'],
      notAsked: ['desk/card'],
      people: ['refunds'],
      cost: '<= 0.01 USD',
      steps: '< 5',
      duration: '1h',
      degraded: [],
      emitted: [],
    })
  })

  it.each<[Expected, string]>([
    [{ status: 'failed' }, 'the run completed, not failed'],
    [{ fault: 'tool.failed' }, 'no fault, not tool.failed'],
    [{ path: ['desk: card'] }, 'the run did not pass desk: card'],
    [{ path: ['sortt'] }, 'the run did not pass sortt; did you mean "sort"?'],
    [{ path: ['desk: refund', 'sort'] }, 'the run did not pass sort after desk: refund at that point, only before'],
    [{ notPath: ['desk'] }, 'the run passed desk'],
    [{ asked: ['desk/card'] }, 'desk/card was not asked'],
    [{ notAsked: ['sort'] }, 'sort was asked'],
    [{ people: [] }, 'a person of refunds was asked by desk/refund'],
    [{ people: ['refunds', 'senior'] }, 'nobody of senior was asked'],
    [{ output: { note: 'open' } }, 'output.note is "done", not "open"'],
    [{ output: { noet: 'done' } }, 'output.noet is not there; did you mean "note"?'],
    [{ output: { paid: [1] } }, 'output.paid has 2 items, not 1'],
    [{ cost: '< 0.01 USD' }, 'cost is 0.01 USD, not < 0.01 USD'],
    [{ duration: '2h' }, 'duration is 1h, not 2h'],
    [{ degraded: ['tool.failed'] }, 'degraded by nothing'],
    [{ emitted: ['orders'] }, 'nothing was sent to orders'],
  ])('%j: %s', (expected, message) => {
    expect(first(expected)).toContain(message)
  })

  it('throws what every test runner shows', () => {
    expect(() => expectOutput(run, { note: 'open' })).toThrow(AssertionError)
    expect(() => expectPath(run, ['nowhere'])).toThrow('path: [\n  "sort",')
    expectCost(run, 0.01)
  })
})
