import { compileFlow } from '../compile.ts'
import type { Inventory } from './inventory.ts'

const INVENTORY = { routes: ['strong', 'small'], tools: ['billing/refund_status', 'ops/log_error'] }

const found = (text: string, inventory: Inventory = INVENTORY): readonly string[] =>
  compileFlow({ files: new Map([['flow.yaml', text]]), entry: 'flow.yaml', inventory }).diagnostics.map(
    ({ line, column, code, severity, message }) => `${line}:${column} ${severity} ${code} ${message}`,
  )

const step = (body: string): string => `input: { text: string }\nsteps:\n  - a: ${body}\n`

describe('what an installation has', () => {
  it('a route or model by its name, and the default', () => {
    expect(found(step('{ model: [strong, small], prompt: "{{ input.text }}" }'))).toEqual([])
    expect(found(step('Summarise {{ input.text }}'))).toEqual([])
  })

  it('an unknown route, where it stands in a list', () => {
    expect(found(step('{ model: [strong, smal], prompt: "{{ input.text }}" }'))).toEqual([
      '3:26 error route.unknown there is no route or model "smal"; did you mean "small"?',
    ])
  })

  it('an unknown route in an outcome and in an agent', () => {
    const gate = '{ model: small, prompt: "{{ input.text }}", gate: [{ else: { retry: { model: hug, attempts: 1 } } }] }'
    expect(found(step(gate)).filter((line) => line.includes('route.unknown'))).toHaveLength(1)
    const agent = `agents: { helper: { model: hug, prompt: "Help", tools: [billing/refund], limits: { turns: 2 } } }\n${step('{ agent: helper }')}`
    expect(found(agent)).toEqual([
      '1:28 error route.unknown there is no route or model "hug"',
      '1:57 error tool.unknown there is no tool "billing/refund"',
    ])
  })

  it('an unknown tool of a namespace that is known, and one that is nearly right', () => {
    expect(found(step('{ tool: billing/refund_statu, with: { ticket: =input.text } }'))).toEqual([
      '3:16 error tool.unknown there is no tool "billing/refund_statu"; did you mean "billing/refund_status"?',
    ])
    expect(found(step('{ tool: op/log_error, with: { message: =input.text } }'))[0]).toContain('did you mean "ops/log_error"?')
  })

  it('tools of a namespace that is not here are for whoever runs the flow: a warning', () => {
    expect(found(step('{ tool: warehouse/stock, with: { text: =input.text } }'))).toEqual([
      '3:16 warning tool.elsewhere nothing here provides tools of "warehouse/", such as warehouse/stock',
    ])
  })

  it('what is not known is not checked', () => {
    expect(found(step('{ model: anything, prompt: "{{ input.text }}" }'), { tools: [] })).toEqual([])
  })
})
