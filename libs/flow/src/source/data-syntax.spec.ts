import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import type { Json, JsonObject } from '@baton/contracts/json'
import { createReport, type Diagnostic } from '../diagnostic.ts'
import { dataText, parseDataText } from './data-syntax.ts'
import { createSource } from './source.ts'
import type { Parse, Syntax } from './syntax.ts'
import { parseSyntax } from './yaml.ts'

const read = (parse: Parse, text: string): { readonly tree: Syntax | undefined; readonly diagnostics: readonly Diagnostic[] } => {
  const report = createReport()
  // The position of a place is a function of the text; without it trees can be compared.
  const tree = parse(createSource('flow.json', text), report)
  return { tree: JSON.parse(JSON.stringify(tree ?? null)) as Syntax, diagnostics: report.list() }
}
const both = (data: JsonObject): readonly ReturnType<typeof read>[] =>
  [parseDataText, parseSyntax].map((parse) => read(parse, dataText(data)))

// Quotes, backslashes, braces and what YAML takes for something else; keys stay short, as YAML wants them.
const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.string({
    unit: fc.constantFrom('"', '\\', '{', '}', '[', ']', ',', ':', ' ', '\n', '\t', '#', '&', '*', '-', 'a', '\u2028', '\ud800'),
  }),
)
const number = fc.oneof(fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true }), fc.constantFrom(-0, 1e21, 1e-7, 2 ** 60, 1e300))
const data = fc.letrec<{ value: Json; object: JsonObject }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.oneof(text, number, fc.boolean(), fc.constant(null)),
    fc.array(tie('value'), { maxLength: 4 }),
    tie('object'),
  ),
  object: fc.dictionary(text, tie('value'), { maxKeys: 4 }),
})).object

const nested = (levels: number): JsonObject => (levels === 0 ? {} : { in: nested(levels - 1) })

describe('a flow that is data', () => {
  it('J1: reads its text as the parser of YAML does', () => {
    fc.assert(
      fc.property(data, (value) => {
        const [own, yaml] = both(value)
        expect(own).toEqual(yaml)
      }),
      { numRuns: 1_000 },
    )
  })

  it.each<[string, JsonObject]>([
    ['too many nodes', { steps: Array.from({ length: 20_000 }, () => 0) }],
    ['too many levels', nested(62)],
    ['too many characters', { about: 'x'.repeat(1_000_001) }],
    ['half a pair of UTF-16, which JSON escapes', { about: 'a\ud800' }],
    ['what was not UTF-8', { about: 'caf\ufffd' }],
  ])('Y2: is bounded as a file is: %s', (_what, value) => {
    const [own, yaml] = both(value)
    expect(own).toEqual(yaml)
  })

  it('reads a long text of quotes and backslashes in linear time', () => {
    const about = '\\"'.repeat(200_000)
    expect(read(parseDataText, dataText({ about })).tree).toMatchObject({ entries: [{ value: { value: about } }] })
  })
})
