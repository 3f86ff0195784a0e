// Expressions made from types: what is right by construction is never reported, and never throws.
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { findings } from './types.fixture.ts'

type Kind = 'number' | 'text' | 'truth' | 'texts'
type Made = { readonly cel: string }

const LEAVES: Readonly<Record<Kind, readonly string[]>> = {
  number: ['input.n', '3', '1.5', 'step.score', 'input.rows[0].price', 'size(input.tags)', 'step.text.size()', 'params.limit'],
  text: ['input.text', '"a"', 'step.text', 'step.by', 'run.id', 'input.rows[0].sku', 'has(input.note) ? input.note : "none"'],
  truth: ['true', 'input.flag', 'step.kind == "left"', 'input.text in input.tags', 'has(input.note)', 'run.user == null', 'maybe == null'],
  texts: ['input.tags', '["a", "b"]', 'input.rows.map(r, r.sku)', 'input.text.split(",")'],
}

const { expressions } = fc.letrec<{ expressions: Readonly<Record<Kind, string>> } & Record<Kind, string>>((tie) => {
  const leaf = (kind: Kind): fc.Arbitrary<string> => fc.constantFrom(...LEAVES[kind].map((cel) => `(${cel})`))
  const part = { number: tie('number'), text: tie('text'), truth: tie('truth'), texts: tie('texts') }
  const make = (kinds: readonly Kind[], build: (...parts: readonly string[]) => string): fc.Arbitrary<string> =>
    fc.tuple(...kinds.map((kind) => part[kind])).map((parts) => `(${build(...parts)})`)
  const choice = (kind: Kind): fc.Arbitrary<string> => make(['truth', kind, kind], (a, b, c) => `${a} ? ${b} : ${c}`)
  const depth = { depthSize: 'small', maxDepth: 2 } as const
  return {
    number: fc.oneof(
      depth,
      leaf('number'),
      choice('number'),
      make(['number', 'number'], (a, b) => `${a} + ${b}`),
      make(['number', 'number'], (a, b) => `${a} * ${b}`),
      make(['number'], (a) => `-${a}`),
      make(['text'], (a) => `${a}.size()`),
      make(['truth', 'texts'], (a, b) => `${a} ? size(${b}) : 0`),
    ),
    text: fc.oneof(
      depth,
      leaf('text'),
      choice('text'),
      make(['text', 'text'], (a, b) => `${a} + ${b}`),
      make(['number'], (a) => `string(${a})`),
      make(['text'], (a) => `${a}.trim()`),
      make(['truth'], (a) => `${a} && maybe != null ? maybe.name : "nobody"`),
      make(['text'], (a) => `run.user != null ? run.user : ${a}`),
    ),
    truth: fc.oneof(
      depth,
      leaf('truth'),
      make(['number', 'number'], (a, b) => `${a} < ${b}`),
      make(['text', 'text'], (a, b) => `${a} <= ${b}`),
      make(['truth', 'truth'], (a, b) => `${a} && ${b}`),
      make(['truth', 'truth'], (a, b) => `!${a} || ${b}`),
      make(['text', 'text'], (a, b) => `${a}.contains(${b})`),
      make(['text', 'texts'], (a, b) => `${a} in ${b}`),
      make(['truth'], (a) => `has(input.note) && input.note.size() > 2 || ${a}`),
    ),
    texts: fc.oneof(
      depth,
      leaf('texts'),
      choice('texts'),
      make(['texts', 'texts'], (a, b) => `${a} + ${b}`),
      make(['texts'], (a) => `${a}.filter(t, t != "x").map(t, t + "!")`),
    ),
    expressions: fc.record({ number: tie('number'), text: tie('text'), truth: tie('truth'), texts: tie('texts') }),
  }
})

const flowOf = (made: readonly Made[]): string => `input:
  n: number
  flag: boolean
  text: string
  note: string?
  tags: { type: array, items: { type: string }, maxItems: 20 }
  rows: { type: array, maxItems: 20, items: { type: object, properties: { sku: { type: string }, price: { type: number } }, required: [sku, price] } }
params: { limit: { type: number, default: 1 } }
steps:
  - step: { prompt: hi, returns: { kind: left | right, score: number, text: string } }
  - maybe: { when: input.flag, prompt: hi, returns: { name: string } }
${made.map(({ cel }, index) => `  - s${index}: { set: ${JSON.stringify(`=${cel}`)} }`).join('\n')}
  - last: { when: ${JSON.stringify(made[2]?.cel ?? 'true')}, prompt: hi }
`

describe('types/T1: expressions that are right by construction', () => {
  it('are never reported', () => {
    fc.assert(
      fc.property(expressions, ({ number, text, truth, texts }) => {
        const made = [number, text, truth, texts].map((cel) => ({ cel }))
        expect(findings(flowOf(made))).toEqual([])
      }),
      { numRuns: 150 },
    )
  })
})

describe('types/T2: any text at all', () => {
  it('never makes the pass throw, and every report stands in the file', () => {
    const words = fc.constantFrom(
      'input',
      'step',
      'maybe',
      '.',
      'n',
      'text',
      'kind',
      '(',
      ')',
      '[',
      ']',
      '0',
      '"a"',
      '==',
      '&&',
      '!',
      '?',
      ':',
      ' in ',
      'has',
      '.map(x, x',
      '+',
      'null',
      'it',
      'size',
    )
    fc.assert(
      fc.property(fc.array(words, { minLength: 1, maxLength: 14 }), (parts) => {
        const cel = parts.join('')
        const text = flowOf([{ cel }, { cel: '1' }, { cel: 'true' }])
        const rows = text.split('\n')
        for (const { line, column } of findings(text)) expect(rows[line - 1]?.length ?? 0).toBeGreaterThanOrEqual(column)
      }),
      { numRuns: 300 },
    )
  })
})
