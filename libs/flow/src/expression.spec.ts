import { describe, expect, it } from '@jest/globals'
import { Fault } from '@baton/contracts/fault'
import type { Json } from '@baton/contracts/json'
import { createCompiler } from './expression.ts'
import type { Scope } from './program.ts'

const deep: Json = [{ a: 1 }]
const scope: Scope = {
  input: { n: 3, text: 'hello', list: [1, 2, 3], nested: { deep }, nothing: null },
  params: { send: 0.8 },
  run: { id: 'run_1' },
  steps: {
    classify: { intent: 'refund', confidence: 0.9, by: 'model:small' },
    skipped: null,
    large: { title: 'inline', $payload: { sha256: 'f00' }, by: 'tool:fetch' },
  },
  it: { confidence: 0.75 },
}
const compile = createCompiler(['classify', 'skipped', 'large', 'never', 'toString'])
const value = (cel: string, more: Partial<Scope> = {}): Json => compile(cel)({ ...scope, ...more })

const faultOf = (cel: string, more: Partial<Scope> = {}): Fault => {
  try {
    value(cel, more)
  } catch (error) {
    if (error instanceof Fault) return error
    throw error
  }
  throw new Error(`${cel} did not fail`)
}

describe('expressions', () => {
  it.each<[string, Json]>([
    ['it.confidence >= params.send', false],
    ['classify.intent == "refund" && input.n > 2', true],
    ['classify.by', 'model:small'],
    ['input.nested.deep[0].a', 1],
    ['input["text"]', 'hello'],
    ['input.list[input.n - 1]', 3],
    ['size(input.list) + 1', 4],
    ['input.n in [1, 2, 3]', true],
    ['input.list.filter(x, x > 1).map(x, x * 2)', [4, 6]],
    ['{"a": input.n, "b": [input.text, 1, null]}', { a: 3, b: ['hello', 1, null] }],
    ['has(input.missing) ? input.missing : "none"', 'none'],
    ['input.text.contains("ell")', true],
    ['timestamp("2026-01-02T03:04:05Z")', '2026-01-02T03:04:05.000Z'],
    ['run.id', 'run_1'],
  ])('%s', (cel, expected) => {
    expect(value(cel)).toEqual(expected)
  })

  it.each(['+', '-', '*', '/', '%'])('numbers of JSON and of expressions mix in %s', (operator) => {
    const expected = { '+': 5, '-': 1, '*': 6, '/': 1.5, '%': 1 }[operator]
    expect(value(`input.n ${operator} 2`)).toBe(expected)
    expect(value(`3 ${operator} input.n + 0`)).toBe({ '+': 6, '-': 0, '*': 9, '/': 1, '%': 0 }[operator])
    expect(value(`input.n ${operator} input.n`)).toBe({ '+': 6, '-': 0, '*': 9, '/': 1, '%': 0 }[operator])
  })

  it('a step that was skipped or not reached is null', () => {
    expect(value('skipped')).toBeNull()
    expect(value('never == null')).toBe(true)
    expect(faultOf('skipped.intent').message).toContain('skipped is null: the step was skipped')
  })

  it.each([
    'input.constructor',
    'input.__proto__',
    'input.nested.toString',
    'classify.hasOwnProperty',
    'input.text.constructor',
    'input.list.length',
  ])('E1: %s is not a field', (cel) => {
    expect(faultOf(cel).code).toBe('expression.failed')
  })

  it('E1: an inherited property is not a step', () => {
    expect(value('toString')).toBeNull()
    expect(value('toString == null')).toBe(true)
  })

  it('E1: a pattern that backtracks elsewhere takes linear time', () => {
    expect(value('input.text.matches("^(a+)+$")', { input: { text: `${'a'.repeat(5_000)}!` } })).toBe(false)
    expect(value('input.text.matches("l{2}o$")')).toBe(true)
    expect(faultOf('input.text.matches("(")').code).toBe('expression.failed')
  })

  it('E3: a path gives the very value it leads to, without a copy', () => {
    expect(value('input.nested.deep')).toBe(deep)
  })

  it('E2: comprehensions go over lists of a bounded size', () => {
    const list = Array.from({ length: 10_001 }, (_, index) => index)
    expect(faultOf('input.list.exists(x, x == 3)', { input: { list } }).message).toContain('at most 10000')
    expect(faultOf('input.list.exists(x, input.list.exists(y, x == y))', { input: { list: list.slice(0, 1_001) } }).message).toContain(
      'at most 1000',
    )
    expect(value('input.list.exists(x, x == 3)', { input: { list: list.slice(0, 10_000) } })).toBe(true)
  })

  it('E2: expressions have a bounded size', () => {
    expect(() => compile(Array.from({ length: 600 }, () => '1').join(' + '))).toThrow(/maxAstNodes|Exceeded/)
    expect(() => compile(`${'('.repeat(100)}1${')'.repeat(100)}`)).toThrow(/maxDepth|Exceeded/)
  })

  it('E4: a failure names the expression and the cause', () => {
    expect(faultOf('input.missing > 1 && true').data).toEqual({
      code: 'expression.failed',
      message: 'input.missing > 1 && true: No such key: missing',
      detail: { expression: 'input.missing > 1 && true', cause: 'No such key: missing' },
    })
    expect(faultOf('input.missing').message).toBe('input.missing: no such key: missing')
    expect(faultOf('input.n / 0').message).toContain('Infinity is not a number of JSON')
    expect(faultOf('duration("5s")').message).toContain('not a JSON value')
    expect(faultOf('fault.code').message).toContain('there is no "fault" here')
  })

  describe('E5: a value in the payload store', () => {
    it('gives its inline fields as they are', () => {
      expect(value('large.title')).toBe('inline')
      expect(value('large.title == "inline" && large.by != ""')).toBe(true)
      expect(value('large != null')).toBe(true)
    })

    it('gives a reference to what is not inline, and to the whole', () => {
      expect(value('large.pages[2].text')).toEqual({ $payload: { sha256: 'f00' }, at: ['pages', 2, 'text'] })
      expect(value('large')).toEqual({ $payload: { sha256: 'f00' }, at: [] })
    })

    it('faults for any other use', () => {
      for (const cel of [
        'large.pages.size() > 2',
        'has(large.pages)',
        'large.pages == null',
        '[large]',
        'large == classify',
        'large.pages[input.n]',
      ]) {
        expect([cel, faultOf(cel).code]).toEqual([cel, 'payload.not_inline'])
      }
    })
  })
})
