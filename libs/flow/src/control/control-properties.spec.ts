/* oxlint-disable unicorn/no-thenable -- `then` is a word of the flow format; nothing here is ever awaited */
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { createReport, type Report } from '../diagnostic.ts'
import type { StepTree } from '../tree.ts'
import { checkControl } from './control.ts'
import { codesOf, treeOf } from './reading.fixture.ts'
import { worstCase } from './worst-case.ts'

/** A step without its name: what its body says, with a place for names that are numbered when the flow is written down. */
type Body = string
type Block = readonly Body[]

const leaf = fc.constantFrom<Body>(
  '{ tool: x, timeout: 10ms }',
  '{ tool: x, when: input.n > 1 }',
  '{ tool: x, timeout: 5ms, retry: { attempts: 2, delay: 1ms } }',
  '{ tool: x, onError: next }',
  '{ tool: x, failover: { tool: y } }',
  '{ prompt: hi, returns: { confidence: 0..1 }, gate: { when: it.confidence > 0.5, then: next, else: { human: { queue: q, sla: 1m } } } }',
  '{ human: { queue: q, sla: 1m } }',
  '{ set: { a: 1 } }',
  '{ wait: 1s }',
  '{ switch: =input.k, cases: { a: { tool: x }, b: end, c: next } }',
  '{ tool: x, gate: [{ when: it.n > 1, then: end }, { when: it.n > 0, then: fail }, { else: next }] }',
)

/** Steps inside steps, each a list in one line. */
const { body } = fc.letrec<{ body: Body; block: Block }>((tie) => ({
  block: fc.array(tie('body'), { minLength: 1, maxLength: 2 }),
  body: fc.oneof(
    { depthSize: 'small', maxDepth: 3, withCrossShrink: true },
    leaf,
    tie('block').map((block) => `{ loop: { max: 3, until: it == 1 }, do: ${inline(block)} }`),
    tie('block').map((block) => `{ map: =input.items, max: 4, each: ${inline(block)} }`),
    fc.tuple(tie('block'), tie('block')).map(([a, b]) => `{ parallel: { a: ${inline(a)}, b: ${inline(b)} }, join: first }`),
    fc.tuple(tie('block'), tie('block')).map(([a, b]) => `{ vote: { voters: [${inline(a)}, ${inline(b)}], rule: majority } }`),
    tie('block').map((block) => `{ tool: x, gate: [{ when: it.n > 1, then: { do: ${inline(block)} } }, { else: next }] }`),
    tie('block').map((block) => `{ tool: x, onError: { do: ${inline(block)}, then: next } }`),
  ),
}))

const inline = (block: Block): string => `[${block.map((text) => `{ NAME: ${text} }`).join(', ')}]`

const write = (bodies: readonly Body[]): string => {
  let count = 0
  const steps = bodies.map((text) => `  - NAME: ${text}\n`).join('')
  return `limits: { time: 1h, total: 30d }\ninput: { n: number, k: a | b | c, items: "string[]" }\nsteps:\n${steps}`.replace(
    /NAME/g,
    () => `s${count++}`,
  )
}

const bodies = fc.array(body, { minLength: 1, maxLength: 4 })
const found = (text: string): readonly string[] => codesOf((report: Report) => checkControl(treeOf(text), report))
const APPROVE = 'human: { queue: q, sla: 1m }'
const PAY = '{ tool: x, effect: irreversible }'
const RUNS = { numRuns: 60 }

describe('flows that are right by the way they are made', () => {
  it('give no diagnostics', () => {
    fc.assert(
      fc.property(bodies, (made) => {
        expect(found(write(made))).toEqual([])
      }),
      RUNS,
    )
  })

  it('give one when a step in them always ends the run: at the step behind it', () => {
    fc.assert(
      fc.property(bodies, bodies, (before, after) => {
        const lines = write([...before, '{ tool: x, gate: [{ else: end }] }', ...after])
        expect(found(lines)).toEqual([`${before.length + 5}:5 step.unreachable`])
      }),
      RUNS,
    )
  })

  it('may do what cannot be taken back after a person, and not without', () => {
    fc.assert(
      fc.property(bodies, bodies, (before, between) => {
        const text = write([...before, `{ ${APPROVE} }`, ...between, PAY])
        expect(found(text)).toEqual([])
        const unasked = text.replaceAll(APPROVE, 'tool: z')
        const column = (unasked.split('\n').at(-2)?.indexOf('irreversible') ?? 0) + 1
        expect(found(unasked)).toEqual([`${before.length + between.length + 5}:${column} effect.unapproved`])
      }),
      RUNS,
    )
  })

  it('take at the worst no longer when a step is taken away', () => {
    fc.assert(
      fc.property(bodies, body, (made, more) => {
        const { timeMs } = worstCase(treeOf(write(made)))
        expect(worstCase(treeOf(write([more, ...made]))).timeMs).toBeGreaterThanOrEqual(timeMs)
      }),
      RUNS,
    )
  })
})

describe('large flows', () => {
  /** As many ways as there are subsets of the steps: each may be jumped over, or end the run. */
  const wide = (count: number): readonly StepTree[] => {
    const [step] = treeOf(
      'steps:\n  - s: { tool: x, timeout: 1ms, gate: [{ when: it.n > 1, then: end }, { when: it.n > 2, then: fail }, { else: next }] }\n',
    ).steps
    if (step?.gate === undefined) throw new Error('no step')
    const [first, ...rest] = step.gate
    if (first === undefined) throw new Error('no gate')
    return Array.from({ length: count }, (_, index): StepTree => {
      const jump = { ...first, outcome: { at: step.at, then: 'step' as const, step: `s${index + 2}` } }
      return { ...step, id: `s${index}`, name: `s${index}`, gate: [jump, first, ...rest] }
    })
  }

  it('C1: 5,000 steps with more ways than could be counted', () => {
    const tree = { ...treeOf('limits: { time: 1h }\nsteps:\n  - s: hi\n'), steps: wide(5_000) }
    const report = createReport()
    checkControl(tree, report)
    expect(report.list()).toEqual([])
    expect(worstCase(tree)).toMatchObject({ timeMs: 5_000 })
    expect(worstCase(tree).paths).toHaveLength(50)
  })

  it('C1: steps nested as deep as a file may be', () => {
    let text = '{ tool: x, timeout: 1ms }'
    for (let depth = 0; depth < 12; depth++) text = `{ loop: { max: 2, until: it == 1 }, do: [{ s${depth}: ${text} }] }`
    expect(worstCase(treeOf(`steps:\n  - a: ${text}\n`)).timeMs).toBe(2 ** 12)
  })
})
