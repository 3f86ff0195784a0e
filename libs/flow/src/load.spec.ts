import { describe, expect, it } from '@jest/globals'
import { Fault } from '@baton/contracts/fault'
import { compileFlow } from './compile.ts'
import { loadProgram } from './load.ts'
import { toMermaid } from './mermaid.ts'
import { resolveParams } from './params.ts'
import type { Plan } from './plan.ts'
import type { Program, Scope } from './program.ts'
import { SAMPLE_FILES } from './testing/samples.ts'

const support = (): Plan => {
  const result = compileFlow({ files: SAMPLE_FILES, entry: 'support/flow.yaml' })
  if (!result.ok) throw new Error('the sample must compile')
  return result.plan
}
const scope: Scope = { input: { text: 'hello' }, params: {}, run: {}, steps: { docs: { items: [{ text: 'a' }] }, facts: null } }

describe('a program', () => {
  const plan = support()
  const program: Program = loadProgram(plan)

  it('evaluates values with their expressions', () => {
    expect(program.value(plan.nodes['answer']?.with ?? { lit: null }, scope)).toEqual({ text: 'hello', docs: [{ text: 'a' }], facts: null })
    expect(program.value({ list: [{ lit: 1 }, { cel: 'input.text' }] }, scope)).toEqual([1, 'hello'])
  })

  it('takes nothing but true or false for a condition', () => {
    expect(program.test('input.text == "hello"', scope)).toBe(true)
    expect(() => program.test('input.text', scope)).toThrow(Fault)
  })

  it('refuses a plan whose expressions do not compile', () => {
    const broken: Plan = { ...plan, output: { cel: 'answer.' } }
    expect(() => loadProgram(broken)).toThrow(expect.objectContaining({ code: 'flow.invalid' }))
  })
})

describe('params', () => {
  const plan: Pick<Plan, 'params'> = {
    params: {
      send: { type: 'number', default: 0.8, min: 0.5, max: 1 },
      wait: { type: 'duration', default: '5s', max: 60_000 },
      on: { type: 'boolean', default: true },
    },
  }

  it('are the defaults with overrides over them, durations in milliseconds', () => {
    expect(resolveParams(plan)).toEqual({ send: 0.8, wait: 5_000, on: true })
    expect(resolveParams(plan, { send: 0.9, wait: '30s' })).toEqual({ send: 0.9, wait: 30_000, on: true })
  })

  it.each([
    [{ send: 0.2 }, 'send is 0.2, below its minimum 0.5'],
    [{ send: 'high' }, 'send must be a number, not "high"'],
    [{ wait: '2m' }, 'wait is 120000, above its maximum 60000'],
    [{ wait: 'soon' }, 'wait must be a duration like 5s, not "soon"'],
    [{ sned: 1 }, 'sned is not a param of this flow'],
    [{ toString: 1 }, 'toString is not a param of this flow'],
  ])('refuse %j', (overrides, message) => {
    expect(() => resolveParams(plan, overrides)).toThrow(message)
  })
})

describe('the graph', () => {
  it('has a box for each node and an arrow for each outcome', () => {
    const graph = toMermaid(support())
    expect(graph).toContain('flowchart TD\n')
    expect(graph).toContain('{"facts<br/><small>by classify.intent</small>"}')
    expect(graph).toMatch(/n\d+ -- "input.sensitive" --> n\d+/)
    expect(graph).toContain('start -- "on error" -->')
  })
})

describe('a plan of a later version', () => {
  it('A14: is refused by name, not run half', () => {
    const plan = { ...support(), formatVersion: 2 }
    expect(() => loadProgram(plan as never)).toThrow(expect.objectContaining({ code: 'flow.unsupported' }))
  })
})
