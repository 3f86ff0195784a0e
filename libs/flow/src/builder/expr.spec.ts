/* oxlint-disable typescript/no-base-to-string -- what happens to an expression as text is part of what is proved */
import { describe, expect, it } from '@jest/globals'
import {
  and,
  at,
  cel,
  choose,
  contains,
  dataOf,
  endsWith,
  eq,
  every,
  field,
  filter,
  gt,
  gte,
  has,
  includes,
  isNull,
  isPresent,
  lt,
  lte,
  mapped,
  matches,
  ne,
  not,
  or,
  orElse,
  reference,
  size,
  some,
  startsWith,
  textOf,
  whenPresent,
  type Expr,
  type Ref,
} from './expr.ts'

type Input = {
  text: string
  score: number
  sensitive: boolean
  intent: 'refund' | 'technical'
  note?: string
  tags: string[]
  items: { score: number }[]
}
const input = reference('input') as unknown as Ref<Input> // the specs say what there is
const docs = reference('docs') as unknown as Ref<{ text: string } | null>
const cases: readonly (readonly [Expr<unknown>, string])[] = [
  [input.text, 'input.text'],
  [field(reference('it'), 'a-b'), 'it["a-b"]'],
  [eq(input.intent, 'refund'), 'input.intent == "refund"'],
  [ne(input.score, 1), 'input.score != 1'],
  [gte(input.score, 0.5), 'input.score >= 0.5'],
  [gt(input.score, -1), 'input.score > -1'],
  [lt(input.score, input.score), 'input.score < input.score'],
  [lte(input.text, 'm'), 'input.text <= "m"'],
  [not(input.sensitive), '!input.sensitive'],
  [has(input.note), 'has(input.note)'],
  [isNull(docs), 'docs == null'],
  [isPresent(docs), 'docs != null'],
  [size(input.tags), 'size(input.tags)'],
  [includes(input.tags, 'urgent'), '"urgent" in input.tags'],
  [includes(['a', 'b'], input.text), 'input.text in ["a", "b"]'],
  [at(input.items, 0).score, 'input.items[0].score'],
  [startsWith(input.text, 'A'), 'input.text.startsWith("A")'],
  [endsWith(input.text, 'Z'), 'input.text.endsWith("Z")'],
  [contains(input.text, 'it"s'), 'input.text.contains("it\\"s")'],
  [matches(input.text, '^a'), 'input.text.matches("^a")'],
  [filter(input.items, (item) => gte(item.score, 0.5)), 'input.items.filter(x, x.score >= 0.5)'],
  [mapped(input.items, (item) => item.score), 'input.items.map(x, x.score)'],
  [
    some(input.items, (item) => every(input.tags, (tag) => gt(item.score, size(tag)))),
    'input.items.exists(x, input.tags.all(x2, x.score > size(x2)))',
  ],
  [orElse(input.note, ''), 'has(input.note) && input.note != null ? input.note : ""'],
  [orElse(docs, { text: '' }).text, '(docs != null ? docs : {"text": ""}).text'],
  [whenPresent(docs, (found) => found.text), 'docs == null ? null : docs.text'],
  [cel<number>`${input.score} * 2.0`, 'input.score * 2.0'],
  [cel<number>`${cel('1 + 2')} * ${3}`, '(1 + 2) * 3'],
  [cel('size(docs) > 2'), 'size(docs) > 2'],
]

describe('an expression', () => {
  it.each(cases)('%# is the CEL one would write by hand', (expr, text) => {
    expect(textOf(expr)).toBe(text)
  })

  it('E2: has parentheses only where they change what it means', () => {
    const a = gte(input.score, 0.5)
    const b = eq(input.intent, 'refund')
    expect(textOf(or(and(a, b), b))).toBe('input.score >= 0.5 && input.intent == "refund" || input.intent == "refund"')
    expect(textOf(and(or(a, b), b))).toBe('(input.score >= 0.5 || input.intent == "refund") && input.intent == "refund"')
    expect(textOf(not(and(a, b)))).toBe('!(input.score >= 0.5 && input.intent == "refund")')
    expect(textOf(choose(or(a, b), 'yes', choose(a, 'perhaps', 'no')))).toBe(
      'input.score >= 0.5 || input.intent == "refund" ? "yes" : input.score >= 0.5 ? "perhaps" : "no"',
    )
    expect(textOf(eq(choose(a, 'yes', 'no'), 'yes'))).toBe('(input.score >= 0.5 ? "yes" : "no") == "yes"')
  })

  it('does not pass for text: in a template string it would be gone', () => {
    expect(() => `Say ${String(input.text)}`).toThrow('{{ input.text }}')
    expect(() => `Say ${String(size(input.tags))}`).toThrow('has no value before the flow runs')
  })

  it('becomes data with its mark; a text that looks like one does not', () => {
    expect(dataOf({ text: input.text, list: [input.score, 1], not: '=x', left: undefined })).toEqual({
      text: '=input.text',
      list: ['=input.score', 1],
      not: '="=x"',
    })
  })
})
