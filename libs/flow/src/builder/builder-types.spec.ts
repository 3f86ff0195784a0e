// What the types of the builder refuse. `tsc -b` compiles this file: a line marked as an error that is none fails the build.
/* oxlint-disable jest/expect-expect, unicorn/no-thenable -- the compiler proves most of these; `then` is a word of the flow format */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { z } from 'zod'
import { and, eq, flow, gte, has, model, not, orElse, parallel, switchOn, tool, type Infer } from './index.ts'

const Intent = z.object({ intent: z.enum(['refund', 'technical']), confidence: z.number(), note: z.string().optional() })
const start = flow('test/types@1.0.0')
  .params({ send: { type: 'number', default: 0.8, min: 0, max: 1 } })
  .input(z.object({ text: z.string(), ticket: z.string().optional() }))
  .step('classify', model({ prompt: 'Which intent?', returns: Intent }))
const refund = tool('billing/refund', { returns: { text: 'string' } })
const technical = tool('support/diagnose', { returns: { text: 'string' } })

describe('a name', () => {
  it('E1: of no step is an error of the compiler', () => {
    // @ts-expect-error -- there is no step "clasify"
    start.step('next', ({ clasify }) => model({ prompt: 'x', with: { it: clasify } }))
    // @ts-expect-error -- a step sees those before it only
    start.step('first', ({ second }) => model({ prompt: 'x', with: { second } })).step('second', 'y')
  })

  it('of no field is an error of the compiler', () => {
    // @ts-expect-error -- the output has no "confidance"
    start.step('next', ({ classify }) => model({ prompt: 'x', with: { it: classify.confidance } }))
    // @ts-expect-error -- the input has no "txt"
    start.step('next', model({ prompt: 'x', with: ({ input }) => ({ text: input.txt }) }))
    // @ts-expect-error -- there is no param "sent"
    start.step('next', model({ prompt: 'x', when: ({ classify, params }) => gte(classify.confidence, params.sent) }))
    // @ts-expect-error -- the output a gate looks at has no "score"
    start.step('next', model({ prompt: 'x', returns: { text: 'string' }, gate: ({ it }) => [{ when: gte(it.score, 0.5), then: 'next' }] }))
  })
})

describe('a comparison', () => {
  it('with a value outside an enum is an error of the compiler', () => {
    // @ts-expect-error -- "refnd" is no intent
    start.step('next', model({ prompt: 'x', when: ({ classify }) => eq(classify.intent, 'refnd') }))
    start.step('next', model({ prompt: 'x', when: ({ classify }) => eq(classify.intent, 'refund') }))
  })

  it('of two types is an error of the compiler', () => {
    // @ts-expect-error -- an intent is a word
    start.step('next', model({ prompt: 'x', when: ({ classify }) => gte(classify.intent, 0.5) }))
    // @ts-expect-error -- a confidence is a number
    start.step('next', model({ prompt: 'x', when: ({ classify }) => eq(classify.confidence, 'high') }))
    // @ts-expect-error -- a condition is true or false, and a word is neither
    start.step('next', model({ prompt: 'x', when: ({ classify }) => not(classify.intent) }))
  })
})

describe('a switch', () => {
  it('without a case for every value, and without else, is an error of the compiler', () => {
    // @ts-expect-error -- "technical" has no case
    start.step('facts', ({ classify }) => switchOn(classify.intent, { refund }))
    start.step('facts', ({ classify }) => switchOn(classify.intent, { refund, technical }))
    start.step('facts', ({ classify }) => switchOn(classify.intent, { refund }, { else: 'next' }))
  })

  it('with a case that never comes is an error of the compiler', () => {
    // @ts-expect-error -- "refnd" is no intent
    start.step('facts', ({ classify }) => switchOn(classify.intent, { refund, technical, refnd: technical }))
  })

  it('over any text needs an else', () => {
    // @ts-expect-error -- a text can be anything
    start.step('facts', ({ input }) => switchOn(input.text, { refund }))
    start.step('facts', ({ input }) => switchOn(input.text, { refund }, { else: 'fail' }))
  })
})

describe('a value that may be null', () => {
  const skipped = start.step(
    'answer',
    model({ when: ({ classify }) => eq(classify.intent, 'refund'), prompt: 'x', returns: { text: 'string' } }),
  )

  it('has no fields: the output of a step that may be skipped', () => {
    // @ts-expect-error -- skipped, it is null
    skipped.output(({ answer }) => ({ text: answer.text }))
    skipped.output(({ answer }) => ({ text: orElse(answer, { text: '', by: '' }).text }))
  })

  it('has no fields: the output of a switch that goes on without a step', () => {
    const some = start.step('facts', ({ classify }) => switchOn(classify.intent, { refund, technical: 'next' }))
    // @ts-expect-error -- for technical questions it is null
    some.output(({ facts }) => facts.text)
  })

  it('has no fields: what a failure passed over left behind', () => {
    const passed = start.step('facts', tool('x', { returns: { text: 'string' }, onError: 'next' }))
    // @ts-expect-error -- after a failure it is null
    passed.output(({ facts }) => facts.text)
  })

  it('has no fields: a branch that a join need not wait for', () => {
    const raced = start.step('both', parallel({ left: refund, right: technical }, { join: 'any' }))
    // @ts-expect-error -- the slower branch is null
    raced.output(({ both }) => both.left.text)
    start.step('both', parallel({ left: refund, right: technical })).output(({ both }) => both.left.text)
  })

  it('is not compared before it is there: an optional field', () => {
    // @ts-expect-error -- the note may be missing
    start.step('next', model({ prompt: 'x', when: ({ classify }) => eq(classify.note, classify.note, classify.note) }))
    // @ts-expect-error -- the ticket may be missing
    start.step('next', ({ input }) => switchOn(input.ticket, { a: 'next' }, { else: 'fail' }))
    start.step('next', model({ prompt: 'x', when: ({ input }) => and(has(input.ticket), eq(orElse(input.ticket, ''), 'T-1')) }))
  })
})

describe('a type', () => {
  it('is inferred from the short form of a schema, word for word', () => {
    type Form = Infer<{ a: 'string'; b: '0..1'; c: 'x | y | null'; d: 'string[]'; e: 'integer?'; f: { type: 'number'; default: 1 } }>
    const fits: Form = { a: '', b: 1, c: null, d: [''], f: 2 }
    // @ts-expect-error -- "z" is none of the words
    const wrong: Form = { a: '', b: 1, c: 'z', d: [''], f: 2 }
    expect(Object.keys(wrong)).toEqual(Object.keys(fits))
  })

  it('of a JSON Schema is inferred as well', () => {
    type Form = Infer<{ type: 'object'; properties: { a: { type: 'string' }; b: { type: 'number' } }; required: ['a'] }>
    const fits: Form = { a: '' }
    // @ts-expect-error -- "a" is required
    const wrong: Form = { b: 1 }
    expect([fits, wrong]).toHaveLength(2)
  })
})

describe('this file', () => {
  it('is compiled by tsc -b', () => {
    const folder = join(import.meta.dirname, '../..')
    const root = join(folder, '../..')
    const { references } = JSON.parse(readFileSync(join(root, 'tsconfig.json'), 'utf8')) as { references: readonly { path: string }[] } // ours
    expect(references.map(({ path }) => path)).toContain('libs/flow')
    const compiler = join(root, 'node_modules/typescript/bin/tsc')
    expect(existsSync(compiler)).toBe(true)
    const { stdout } = spawnSync(process.execPath, [compiler, '-p', folder, '--listFilesOnly'], { encoding: 'utf8' })
    expect(stdout).toContain('builder/builder-types.spec.ts')
  })
})
