import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { compileFlow } from '../compile.ts'
import type { Plan } from '../plan.ts'
import { createReport } from '../diagnostic.ts'
import { checkContracts, compareContracts } from './contracts.ts'
import { misfits } from './schema-fit.ts'
import { treeOf } from './reading.fixture.ts'

type Parts = {
  readonly version?: string
  readonly input?: string
  readonly returns?: string
  readonly output?: string
  readonly params?: string
}
const BEFORE = {
  version: '1.0.0',
  input: '{ text: string, kind: a | b | c, size: { type: number, min: 0 } }',
  returns: '{ text: string, label: x | y, score: 0..1 }',
  output: '{ text: =answer.text, label: =answer.label }',
  params: '{ send: { type: number, default: 1 } }',
}
const flow = (parts: Parts): string => {
  const { version, input, returns, output, params } = { ...BEFORE, ...parts }
  return `flow: x/y@${version}\nparams: ${params}\ninput: ${input}\nsteps:\n  - answer: { prompt: hi, returns: ${returns} }\noutput: ${output}\n`
}
const breaks = (after: Parts, before: Parts = {}): readonly string[] =>
  compareContracts(treeOf(flow(before)), treeOf(flow(after))).map(({ message }) => message)

describe('a new version with the same major number', () => {
  it.each<readonly [string, Parts, string]>([
    [
      'a required field more',
      { input: '{ text: string, kind: a | b | c, size: { type: number, min: 0 }, more: string }' },
      'input.more is required now, and callers need not send it',
    ],
    [
      'a field of another type',
      { input: '{ text: number, kind: a | b | c, size: { type: number, min: 0 } }' },
      'input.text could be string and must not any more',
    ],
    [
      'an enum with fewer values',
      { input: '{ text: string, kind: a | b, size: { type: number, min: 0 } }' },
      'input.kind could be c and must not any more',
    ],
    [
      'a tighter range',
      { input: '{ text: string, kind: a | b | c, size: { type: number, min: 5 } }' },
      'input.size has a tighter bound now: minimum 5',
    ],
    [
      'whole numbers only',
      { input: '{ text: string, kind: a | b | c, size: { type: integer, min: 0 } }' },
      'input.size could be number and must not any more',
    ],
    ['an output without a field', { output: '{ text: =answer.text }' }, 'output.label is gone, and callers may read it'],
    [
      'an output of another type',
      { returns: '{ text: number, label: x | y, score: 0..1 }' },
      'output.text may be number now, and could not before',
    ],
    [
      'an output with more values',
      { returns: '{ text: string, label: x | y | z, score: 0..1 }' },
      'output.label may be z now, and could not before',
    ],
    [
      'an output that is any text now',
      { returns: '{ text: string, label: string, score: 0..1 }' },
      'output.label may be any other value now, and could not before',
    ],
    [
      'an output that is an object where it was text',
      { output: '{ text: =answer, label: =answer.label }' },
      'output.text may be object now, and could not before',
    ],
    ['a param that is gone', { params: '{}' }, 'params.send is gone, and environments or tenants may override it'],
  ])('breaks with %s', (_title, after, message) => {
    expect(breaks(after)).toEqual([message])
  })

  it.each<readonly [string, Parts]>([
    ['nothing new', {}],
    ['an optional field more', { input: '{ text: string, kind: a | b | c, size: { type: number, min: 0 }, more: string? }' }],
    [
      'a field with a default more',
      { input: '{ text: string, kind: a | b | c, size: { type: number, min: 0 }, more: { type: string, default: x } }' },
    ],
    ['a field less in the input', { input: '{ text: string, kind: a | b | c }' }],
    ['an input enum with more values', { input: '{ text: string, kind: a | b | c | d, size: { type: number, min: 0 } }' }],
    ['a wider range', { input: '{ text: string, kind: a | b | c, size: { type: number, min: -5 } }' }],
    ['an output with a field more', { output: '{ text: =answer.text, label: =answer.label, score: =answer.score }' }],
    ['an output with fewer values', { returns: '{ text: string, label: { enum: [x] }, score: 0..1 }' }],
    ['an output that has to be computed', { output: '{ text: "=answer.text + answer.label", label: =answer.label }' }],
    ['the next major number', { version: '2.0.0', input: '{ text: number }', output: '{}' }],
  ])('does not break with %s', (_title, after) => {
    expect(breaks(after)).toEqual([])
  })

  it('below 1.0.0 the minor number promises, and without a version nothing does', () => {
    const input = '{ other: string }'
    expect(breaks({ version: '0.2.1', input }, { version: '0.2.0' })).toHaveLength(1)
    expect(breaks({ version: '0.3.0', input }, { version: '0.2.0' })).toEqual([])
    expect(breaks({ version: '0.0.0', input }, { version: '0.0.0' })).toEqual([])
  })

  it('compares a plan that was published with a tree, and reports at the field', () => {
    const published = compileFlow({ files: new Map([['f.yaml', flow({})]]), entry: 'f.yaml' })
    if (!published.ok) throw new Error(JSON.stringify(published.diagnostics))
    const report = createReport()
    checkContracts(
      published.plan,
      treeOf(flow({ version: '1.1.0', input: '{ text: string, kind: a | b }', output: '{ text: =answer.text }' })),
      report,
    )
    expect(report.list().map(({ line, column, code, message, fix }) => `${line}:${column} ${code} ${message} | ${fix ?? ''}`)).toEqual([
      '3:24 schema.incompatible input.kind could be c and must not any more, and the version is still 1.1.0 | go on taking c, or publish it as 2.0.0',
      '6:1 schema.incompatible output.label is gone, and callers may read it, and the version is still 1.1.0 | keep output.label as it was, or publish it as 2.0.0',
    ])
  })

  it('is looked at by a compile that is told what the flow follows', () => {
    const compile = (text: string, follows?: Plan): ReturnType<typeof compileFlow> =>
      compileFlow({ files: new Map([['f.yaml', text]]), entry: 'f.yaml', ...(follows === undefined ? {} : { follows }) })
    const published = compile(flow({}))
    if (!published.ok) throw new Error(JSON.stringify(published.diagnostics))
    expect(compile(flow({ version: '1.0.1' }), published.plan).ok).toBe(true)
    expect(compile(flow({ version: '1.0.1', params: '{}' }), published.plan).diagnostics.map(({ code }) => code)).toEqual([
      'schema.incompatible',
    ])
    expect(compile(flow({ version: '2.0.0', params: '{}' }), published.plan).ok).toBe(true)
  })

  it('every schema fits itself', () => {
    const leaf = fc.constantFrom<Readonly<Record<string, string>>>({ type: 'string' }, { type: 'number' }, { type: 'boolean' })
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom('a', 'b', 'c'), leaf), (properties) => {
        const schema = { type: 'object', properties, required: Object.keys(properties) }
        expect(misfits(schema, { ...schema, description: 'the same' }, 'input')).toEqual([])
      }),
    )
  })
})
