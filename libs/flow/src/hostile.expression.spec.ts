// What expressions and the data under them must not be able to do (MISSION A3, H2): safety of the engine that evaluates them.
import { describe, expect, it } from '@jest/globals'
import { toFault } from '@baton/contracts/fault'
import type { Json } from '@baton/contracts/json'
import { createAnalyser, createCompiler } from './expression.ts'
import type { Scope } from './program.ts'

const numbers = (count: number): Json => Array.from({ length: count }, (_, index) => index)
const scopeOf = (input: Json, steps: Record<string, Json> = {}): Scope => ({ input, params: {}, run: {}, steps })
const value = (cel: string, input: Json = null): Json => createCompiler(['made'])(cel)(scopeOf(input))
const faultOf = (cel: string, input: Json = null): { code: string; message: string } => {
  try {
    value(cel, input)
  } catch (error) {
    return toFault(error).data
  }
  throw new Error(`${cel} was evaluated`)
}
const problemOf = (cel: string): string | undefined => {
  const found = createAnalyser(['made'])(cel)
  return found.ok ? undefined : found.message
}

describe('E1: no prototype behind any value', () => {
  const values: Record<string, Json> = { text: 'x', number: 1.5, yes: true, nothing: null, list: [1, 2], map: { a: 1 } }
  const names = ['constructor', '__proto__', 'prototype', 'toString', 'valueOf', 'hasOwnProperty', 'length', '__defineGetter__']
  const cases = Object.keys(values).flatMap((field) => names.map((name): [string, string] => [field, name]))

  it.each(cases)('%s.%s', (field, name) => {
    for (const cel of [
      `input.${field}.${name}`,
      `input.${field}["${name}"]`,
      `[input.${field}][0].${name} == 1`,
      `input["${field}"].${name}()`,
    ])
      expect([cel, faultOf(cel, values).code]).toEqual([cel, 'expression.failed'])
  })

  it('has() finds no inherited field, a computed key neither', () => {
    for (const name of names) expect(value(`has(input.map.${name})`, { map: {} })).toBe(false)
    for (const name of names) expect(faultOf('input.map[input.key]', { map: {}, key: name }).code).toBe('expression.failed')
    for (const name of names) expect(value('input.key in input.map', { map: {}, key: name })).toBe(false)
  })

  it('a field of that name in the data is data', () => {
    const map: Json = JSON.parse('{"__proto__": {"admin": true}, "constructor": "mine"}')
    expect(value('input.map.constructor', { map })).toBe('mine')
    expect(value('input.map["__proto__"].admin', { map })).toBe(true)
    expect(({} as { admin?: boolean }).admin).toBeUndefined()
  })
})

describe('E1: data is never evaluated', () => {
  it.each(['1 + 1', '=1 + 1', '{{ 1 + 1 }}', '${1 + 1}', 'input.secret'])('%s stays text', (text) => {
    const input = { text, secret: 'hidden', list: [text] }
    expect(value('input.text', input)).toBe(text)
    expect(value('input.text + ""', input)).toBe(text)
    expect(value('input.list.map(x, x)', input)).toEqual([text])
    expect(value('{"a": input.text}', input)).toEqual({ a: text })
  })

  it('the functions that bound an evaluation cannot be called by a flow', () => {
    for (const cel of ['_goOver([1], 1, false)', '_keep(input)', '_weigh(input)'])
      expect(problemOf(cel)).toMatch(/no matching overload|not found/)
  })
})

describe('E2: size and depth', () => {
  it('of the text of an expression', () => {
    for (const cel of [
      Array.from({ length: 2_000 }, () => '1').join(' + '),
      `${'('.repeat(5_000)}1${')'.repeat(5_000)}`,
      `${'['.repeat(5_000)}1${']'.repeat(5_000)}`,
      `${'!'.repeat(5_000)}true`,
      `${'-'.repeat(5_000)}1`,
      `input${'.a'.repeat(5_000)}`,
      `[${'1,'.repeat(5_000)}1]`,
      `{${Array.from({ length: 5_000 }, (_, index) => `"k${index}": 1`).join(',')}}`,
      `"${'x'.repeat(1_000_000)}`,
      `${'true ? '.repeat(5_000)}1`,
    ])
      expect([cel.slice(0, 20), problemOf(cel)]).toEqual([cel.slice(0, 20), expect.any(String)])
  })

  it('B1: of the lists that are gone over, wherever they come from', () => {
    const input = { rows: [{ cells: numbers(10_001) }], list: numbers(10_001) }
    for (const cel of [
      'input.list.exists(x, x < 0)',
      'input.rows.map(r, r.cells.filter(c, c > 1))',
      'input.rows[0].cells.all(c, c >= 0)',
      '[input.list][0].map(x, x)',
      'cel.bind(l, input.list, l.map(x, x))',
    ])
      expect([cel, faultOf(cel, input)]).toEqual([
        cel,
        expect.objectContaining({ code: 'expression.failed', message: expect.stringContaining('10001') }),
      ])
  })

  it('B2: of the work in between: lists times lists, texts, patterns', () => {
    const list = numbers(1_000)
    const text = 'x'.repeat(500_000)
    for (const [cel, input] of [
      ['input.list.exists(a, input.list.exists(b, a + b < 0))', { list }],
      ['input.list.all(a, input.list.map(b, a * b).size() > 1)', { list }],
      ['input.list.map(a, input.text.split("").size())', { list, text }],
      ['input.list.filter(a, input.text.contains("y"))', { list, text }],
      ['input.list.filter(a, input.text.matches("(x+)+y"))', { list, text }],
      ['input.list.filter(a, input.list == input.copy)', { list, copy: numbers(1_000) }],
      ['input.list.filter(a, a in input.many)', { list, many: numbers(100_00) }],
    ] satisfies [string, Json][])
      expect([cel, faultOf(cel, input)]).toEqual([
        cel,
        expect.objectContaining({ code: 'expression.failed', message: expect.stringMatching(/steps|values/) }),
      ])
  })

  it('B3: of what grows by doubling', () => {
    const doubling = Array.from({ length: 14 }, () => '.map(t, t + t)').join('')
    expect(faultOf(`[input.text]${doubling}`, { text: 'x'.repeat(10_000) }).message).toMatch(/characters/)
    expect(faultOf(`[input.list]${doubling}`, { list: numbers(9_000) }).message).toMatch(/values/)
    expect(
      faultOf(`cel.bind(a, input.text + input.text, ${'cel.bind(a, a + a, '.repeat(12)}a${')'.repeat(13)}`, { text: 'x'.repeat(10_000) })
        .code,
    ).toBe('expression.failed')
  })

  it('ordinary work is well within', () => {
    const docs = Array.from({ length: 200 }, (_, index) => ({ title: `Title ${index}`, score: index / 200, tags: ['a', 'b'] }))
    expect(value('input.docs.filter(d, d.score > 0.9 && d.tags.exists(t, t == "b")).map(d, d.title).size()', { docs })).toBe(19)
    expect(value('input.list.map(x, x % 2 == 0 ? x * 2 : x).exists(x, x == 36)', { list: numbers(5_000) })).toBe(true)
    expect(value('input.empty.exists(e, e == 2) || input.empty.all(e, e > 0)', { empty: [] })).toBe(true)
  })
})

describe('E1: patterns', () => {
  it.each(['(a+)+$', '(a|aa)+$', '(.*a){20}', '^(([a-z])+.)+[A-Z]([a-z])+$', '(a?){30}a{30}'])('%s takes linear time', (pattern) => {
    expect(value('input.text.matches(input.pattern)', { text: `${'a'.repeat(3_000)}!`, pattern })).toEqual(expect.any(Boolean))
  })

  it('what is no pattern, or too large a one, is a fault, also when data makes it', () => {
    for (const pattern of ['(', '[', 'a{1000}{1000}{1000}', '(?=a)', '(a)\\1', `${'(a|b)'.repeat(1_000)}`, 'x'.repeat(100_000)])
      expect(faultOf('input.text.matches(input.pattern)', { text: 'aaa', pattern }).code).toBe('expression.failed')
  })
})

describe('numbers', () => {
  it.each(['+', '-', '*', '/', '%'])('doubles and ints mix in %s', (operator) => {
    for (const [left, right] of [
      ['input.a', '2'],
      ['7', 'input.b'],
      ['7.0', '2'],
      ['7', '2.0'],
      ['input.a', 'input.b'],
    ])
      expect([left, right, value(`${left ?? ''} ${operator} ${right ?? ''}`, { a: 7, b: 2 })]).toEqual([
        left,
        right,
        { '+': 9, '-': 5, '*': 14, '/': 3.5, '%': 1 }[operator],
      ])
  })

  it('doubles equal ints', () => {
    expect(value('1.0 == 1 && 1 == 1.0 && 1.5 != 1 && input.a == 7 && input.a == 7.0', { a: 7 })).toBe(true)
  })

  it.each([
    '1 / 0',
    '1 % 0',
    'input.a / 0',
    'input.a % 0',
    '9223372036854775807 + 1',
    '9007199254740993 + 0',
    'double("NaN")',
    '1e308 * 10.0',
  ])('%s is a fault, not a number that JSON lacks', (cel) => {
    expect(faultOf(cel, { a: 7 }).code).toBe('expression.failed')
  })
})
