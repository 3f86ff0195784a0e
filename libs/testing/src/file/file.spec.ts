import { describe, expect, it } from '@jest/globals'
import { Ajv } from 'ajv'
import { parse } from 'yaml'
import { playTestFile, updatedText } from './play.ts'
import { readTestFile } from './read.ts'
import { flowTestSchemaFile } from './schema.ts'

const FLOW = `flow: test/desk@1.0.0
limits: { time: 1h, total: 30d }
input: { text: string }
steps:
  - sort: { model: small, prompt: '{{ text }}', with: { text: =input.text }, returns: { about: card | refund } }
  - desk: { switch: =sort.about, cases: { card: { tool: desk/card }, refund: { human: { queue: refunds, sla: 5d }, returns: object } } }
`
const TEST = `# two ways
cases:
  - name: a card goes to its desk
    input: { text: my card }
    answers: { sort: { gives: { about: card }, cost: 0.01 USD }, desk/card: sent }
    expect: { status: completed, output: sent, path: [sort, { desk: card }], people: [], cost: <= 0.01 USD }
  - name: money takes three days
    input: { text: my money }
    answers: { sort: { about: refund } }
    people: { refunds: { decides: respond, output: { paid: 5 }, after: 3d } }
    expect: { output: { paid: 6 }, people: [refunds], duration: 3d }
`
const source = { files: { 'flow.yaml': FLOW } }

describe('a test file', () => {
  it('plays its cases and says the first thing that is otherwise', async () => {
    const { cases, coverage } = await playTestFile(readTestFile('desk.test.yaml', TEST), { source, text: FLOW })
    expect(cases.map(({ name, line, ok }) => ({ name, line, ok }))).toEqual([
      { name: 'a card goes to its desk', line: 3, ok: true },
      { name: 'money takes three days', line: 7, ok: false },
    ])
    expect(cases[1]?.differences[0]?.message).toBe('output.paid is 5, not 6')
    expect(coverage).toMatchObject({ taken: 2, total: 2 })
  })

  it('plays only the cases that are named', async () => {
    const { cases } = await playTestFile(readTestFile('desk.test.yaml', TEST), { source, only: 'card' })
    expect(cases.map(({ name }) => name)).toEqual(['a card goes to its desk'])
  })

  it('sends events, starts other flows, and waits for days', async () => {
    const flow = `flow: test/order@1.0.0
limits: { time: 1h, total: 30d }
steps:
  - paid: { wait: { event: payments.confirmed, timeout: 5d }, returns: { amount: integer }, onTimeout: fail }
  - number: { tool: numbers/take, effect: write, returns: { id: integer }, undo: { tool: numbers/give_back, with: { id: =it.id } } }
  - cool: { wait: 3d }
  - sent: { flow: post/send@1.0.0, with: { id: =number.id } }
`
    const test = `answers: { numbers/take: { id: 7 }, numbers/give_back: ok }
events: [{ at: 2d, event: payments.confirmed, data: { amount: 5 } }]
cases:
  - name: paid, then sent
    answers: { post/send: on its way }
    expect: { output: on its way, duration: 5d, notAsked: [numbers/give_back] }
  - name: what cannot be sent takes its number back
    answers: { sent: { fails: tool.arguments_invalid } }
    expect: { status: failed, asked: [numbers/give_back] }
  - name: an event that comes again later changes nothing
    events: [{ at: 4d, event: payments.confirmed, data: { amount: 5 } }]
    answers: { post/send: on its way }
    expect: { status: completed }
`
    const { cases, coverage } = await playTestFile(readTestFile('order.test.yaml', test), { source: { files: { 'flow.yaml': flow } } })
    expect(cases.map(({ differences, broken }) => broken ?? differences[0]?.message)).toEqual([undefined, undefined, undefined])
    expect(coverage.points.filter(({ taken }) => !taken).map(({ what }) => what)).toEqual(['onTimeout of paid'])
  })

  it('is brought up to date with what happened, and keeps its comments', async () => {
    const file = readTestFile('desk.test.yaml', TEST)
    const { cases } = await playTestFile(file, { source })
    const updated = updatedText(TEST, file, cases)
    expect(updated).toContain('# two ways')
    const again = await playTestFile(readTestFile('desk.test.yaml', updated), { source })
    expect(again.cases.map(({ ok }) => ok)).toEqual([true, true])
  })

  it.each([
    ['casses: []', 1, 'a test file has no casses; did you mean "cases"?'],
    ['cases: [{ nmae: x }]', 1, 'a case has no nmae; did you mean "name"?'],
    ['cases:\n  - name: x\n    expect: { pth: [a] }', 3, 'expect has no pth; did you mean "path"?'],
    ['cases:\n  - name: x\n    answers:\n      a: { fails: tool.faild }', 4, '"tool.faild" is no fault code; did you mean "tool.failed"?'],
    ['cases:\n  - name: x\n    answers:\n      a: { fails: tool.failed, tims: 2 }', 4, 'an answer has no tims; did you mean "times"?'],
    ['cases:\n  - name: x\n    people: { a: { decides: aprove } }', 3, '"aprove" is no decision; write approve, edit, reject, respond'],
    ['cases:\n  - name: x\n    people: { a: { decide: approve } }', 3, 'a person has no decide; did you mean "decides"?'],
    ['cases:\n  - name: x\n    answers: { a: { takes: 3 days, gives: 1 } }', 3, '"3 days" is no time; write 500ms, 5s, 120m, 2h or 3d'],
    ['cases:\n  - name: x\n    events: [{ at: 2d, evnt: x }]', 3, 'an event has no evnt; did you mean "event"?'],
    ['cases:\n  - name: x\n    expect: { status: done }', 3, 'status is completed, failed, cancelled'],
    ['cases:\n  - name: x\n    now: tomorrow', 3, 'now is a date, as 2026-01-05T09:00:00Z'],
    ['cases: [', 1, 'Flow sequence'],
  ])('R1: %j is a mistake in line %d', (text, line, message) => {
    const [first] = readTestFile('x.test.yaml', text).mistakes
    expect(first).toMatchObject({ line, message: expect.stringContaining(message) })
  })

  it('has a schema for editors that takes what the reader takes', () => {
    const schema: unknown = JSON.parse(flowTestSchemaFile().get('flow-test.schema.json') ?? '')
    const check = new Ajv({ strict: false }).compile(schema as object)
    expect(check(parse(TEST))).toBe(true)
    expect(check({ cases: [{ nmae: 'x' }] })).toBe(false)
  })
})
