import { describe, expect, it } from '@jest/globals'
import type { Fault } from '@baton/contracts/fault'
import type { Json, JsonSchema } from '@baton/contracts/json'
import fc from 'fast-check'
import { readLenient } from './lenient-literal.policy.ts'
import { parseOutput } from './repair.policy.ts'
import { schemaProblems } from './schema-check.ts'
import { readOutput } from './structured-output.ts'

const faultOf = (work: () => unknown): Fault | undefined => {
  try {
    work()
    return undefined
  } catch (error) {
    return error as Fault // Nothing else is thrown here; a wrong one fails the expectation on its code.
  }
}
const usage = { costMicroUsd: 0 }
const intent = { intent: 'refund', confidence: 0.9 }

describe('repair (D2)', () => {
  it('R1: text that is JSON is never touched', () => {
    fc.assert(
      fc.property(fc.oneof(fc.array(fc.jsonValue()), fc.dictionary(fc.string(), fc.jsonValue())), (value) => {
        const text = JSON.stringify(value)
        expect(parseOutput(text)).toEqual({ value: JSON.parse(text), repaired: false })
      }),
    )
  })

  const mended: readonly (readonly [string, string, Json])[] = [
    ['a fence', '```json\n{"intent": "refund", "confidence": 0.9}\n```', intent],
    ['a fence that never closes', '```json\n{"intent": "refund", "confidence": 0.9}', intent],
    ['prose around', 'Sure! Here it is: {"intent": "refund", "confidence": 0.9}. Anything else?', intent],
    ['a trailing comma', '{"intent": "refund", "confidence": 0.9,}', intent],
    ['single quotes', "{'intent': 'refund', 'confidence': 0.9}", intent],
    ['Python literals', "{'found': True, 'note': None, 'ok': False}", { found: true, note: null, ok: false }],
    ['markdown-escaped underscores', '{"order\\_id": "a\\_b"}', { order_id: 'a_b' }],
    ['bare keys', '{intent: "refund", confidence: 0.9}', intent],
    ['a missing comma', '{"intent": "refund" "confidence": 0.9}', intent],
    ['a line break inside a string', '{"text": "one\ntwo"}', { text: 'one\ntwo' }],
    ['brackets inside strings', 'So: {"text": "use } and ] freely"} done', { text: 'use } and ] freely' }],
    ['a call', '[get_weather(city="Oslo", days=[1, 2])]', [{ get_weather: { city: 'Oslo', days: [1, 2] } }]],
    ['calls in a row', 'math.sqrt(x=4), math.sqrt(x=9)', [{ 'math.sqrt': { x: 4 } }, { 'math.sqrt': { x: 9 } }]],
    ['calls in marks of code', '[`get_weather(city="Oslo")`]', [{ get_weather: { city: 'Oslo' } }]],
    ['a call within a sentence', 'Use this: `get_weather(city="Oslo")` and see.', { get_weather: { city: 'Oslo' } }],
    ['markdown-escaped brackets', '\\[f(a=\\[1, 2\\])\\]', [{ f: { a: [1, 2] } }]],
    ['JSON within a text of JSON', JSON.stringify(JSON.stringify(intent)), intent],
    ['only closing brackets missing', '{"intent": "refund", "tags": ["a"', { intent: 'refund', tags: ['a'] }],
  ]
  it.each(mended)('R2: mends %s', (_what, text, value) => {
    expect(parseOutput(text)).toEqual({ value, repaired: true })
  })

  it('R3: refuses arithmetic inside JSON', () => {
    for (const text of ['{"total": 3 * 4.5}', '[f(a=2**3)]', '{"rate": 5/100}']) {
      expect(faultOf(() => parseOutput(text))).toMatchObject({ code: 'output.malformed', detail: { reason: 'arithmetic' } })
    }
    expect(parseOutput('{"sum": "3 * 4", "n": -2,}').value).toEqual({ sum: '3 * 4', n: -2 })
  })

  it('R6: what a repair would have to invent is unreadable', () => {
    for (const text of ["[pay(name='A', sum=$5,000)]", "[f(place='Oslo', NO', kind='x')]", "[pay(amount=twice('5'))]"]) {
      expect(faultOf(() => parseOutput(text))).toMatchObject({ code: 'output.malformed' })
    }
    const parts = fc.constantFrom('{', '}', '[', ']', '"', "'", ',', ':', 'ab', "it's", '12', ' ', '\n', '7.5', 'null')
    fc.assert(
      fc.property(fc.array(parts, { maxLength: 24 }), (scraps) => {
        const text = scraps.join('')
        let value: Json = null
        try {
          value = parseOutput(text).value
        } catch {
          return
        }
        const bare = text.replaceAll(/[^a-z0-9.]/g, '')
        for (const found of JSON.stringify(value)
          .replaceAll(/\\./g, ' ')
          .match(/[a-z0-9.]+/g) ?? [])
          expect(bare.includes(found) || found === 'null').toBe(true)
      }),
    )
  })

  it('R4: tells a text that ends in the middle', () => {
    for (const text of ['{"text": "and then', '{"a": 12', '{"a": 1, "b":', '[{"a": "x"},', '}{', '```json\n{"text": "half']) {
      expect(faultOf(() => parseOutput(text))).toMatchObject({ code: 'output.truncated' })
    }
  })

  it('R5: any other text is malformed, and the fault does not quote it', () => {
    for (const text of ['', 'I cannot help with that.', 'Internal error occurred.', ')(']) {
      const fault = faultOf(() => parseOutput(text))
      expect(fault).toMatchObject({ code: 'output.malformed' })
      expect(fault?.message).not.toContain('cannot help')
    }
  })

  it('R5: every text gives a value or one of the two faults', () => {
    const scraps = fc.constantFrom('{', '}', '[', ']', '"', "'", ',', ':', '\\', '```', 'True', 'f(', ')', '1', '*', ' ', '\n', 'a')
    fc.assert(
      fc.property(fc.array(scraps, { maxLength: 30 }), (parts) => {
        const code = faultOf(() => parseOutput(parts.join('')))?.code
        expect([undefined, 'output.malformed', 'output.truncated']).toContain(code)
      }),
    )
  })
})

describe('lenient literals', () => {
  it('M1: refuses operators, names and positional arguments', () => {
    for (const text of ['[1 + 2]', '[price]', 'f(1)', '{"a": b}', 'open("x").read()']) expect(readLenient(text).status).not.toBe('cut')
    expect(readLenient('[1 + 2]')).toEqual({ status: 'refused' })
    expect(readLenient('[price]')).toEqual({ status: 'refused' })
    expect(readLenient('f(1)')).toEqual({ status: 'refused' })
  })

  it('M2: reads a call as its name with its arguments', () => {
    expect(readLenient('f(a=1)')).toMatchObject({ value: { f: { a: 1 } } })
  })

  it('M4: an apostrophe in single quotes ends no text', () => {
    expect(readLenient("f(body='Let's meet at Ann's', n=1)")).toMatchObject({ value: { f: { body: "Let's meet at Ann's", n: 1 } } })
  })

  it('M3: tells whether the last value before the end was whole', () => {
    expect(readLenient('["a"')).toEqual({ status: 'cut', whole: true })
    expect(readLenient('["a')).toEqual({ status: 'cut', whole: false })
    expect(readLenient('[12')).toEqual({ status: 'cut', whole: false })
    expect(readLenient('{"a"')).toEqual({ status: 'cut', whole: false })
  })

  it('M1: nests no deeper than its limit', () => {
    expect(readLenient('['.repeat(10_000))).toEqual({ status: 'refused' })
  })
})

describe('schema check (D1)', () => {
  const schema = {
    type: 'object',
    properties: { intent: { enum: ['refund', 'other'] }, confidence: { type: 'number' } },
    required: ['intent'],
  }

  it('V1: an equal schema is compiled once', () => {
    expect(schemaProblems({ intent: 'refund' }, schema)).toEqual([])
    expect(schemaProblems({ intent: 'lunch', confidence: 'high' }, structuredClone(schema))).toEqual([
      '/intent must be equal to one of the allowed values: refund, other',
      '/confidence must be number',
    ])
  })

  it('V2: refuses schemas that are asynchronous, too deep, too large or wrong', () => {
    let deep: JsonSchema = { type: 'string' }
    for (let level = 0; level < 70; level++) deep = { type: 'object', properties: { a: deep } }
    const bad: readonly JsonSchema[] = [
      { $async: true, type: 'object' },
      { properties: { a: { $async: true } } },
      deep,
      { description: 'x'.repeat(300_000) },
      { type: 'nonsense' },
    ]
    for (const one of bad) expect(faultOf(() => schemaProblems({}, one))).toMatchObject({ code: 'flow.invalid' })
  })

  it('V3: a pattern that would run away with another engine answers at once', () => {
    expect(schemaProblems(`${'a'.repeat(5_000)}!`, { type: 'string', pattern: '^(a+)+$' })).toHaveLength(1)
  })

  it('V3: each pattern checks its own field', () => {
    const patterns = { type: 'object', properties: { a: { pattern: '^x$' }, b: { pattern: '^y$' } } }
    expect(schemaProblems({ a: 'x', b: 'x' }, patterns)).toEqual(['/b must match pattern "^y$"'])
  })

  it('two schemas of one $id do not meet', () => {
    expect(schemaProblems(1, { $id: 'x', type: 'number' })).toEqual([])
    expect(schemaProblems('s', { $id: 'x', type: 'string' })).toEqual([])
  })
})

describe('structured output (B15)', () => {
  const schema: JsonSchema = {
    type: 'object',
    properties: { intent: { type: 'string' }, confidence: { type: 'number' } },
    required: ['intent'],
  }

  it('S1: with a schema the output fits it; without one it is the text', () => {
    expect(readOutput({ text: '{"intent":"refund"}', usage }, schema)).toEqual({ value: { intent: 'refund' }, repaired: false })
    expect(readOutput({ text: 'Hello.', usage }, undefined)).toEqual({ value: 'Hello.', repaired: false })
    expect(readOutput({ text: 'Hello.', usage }, { type: 'string' })).toEqual({ value: 'Hello.', repaired: false })
    expect(readOutput({ text: ' 42\n', usage }, { type: 'integer' })).toEqual({ value: 42, repaired: false })
    expect(faultOf(() => readOutput({ text: '{"label":"x"}', usage }, schema))).toMatchObject({
      code: 'output.schema_invalid',
      detail: { problem: "the answer must have required property 'intent'" },
    })
  })

  it('S2: a mended answer is marked and trusted a tenth less', () => {
    expect(readOutput({ text: "{'intent': 'refund', 'confidence': 0.9}", usage }, schema)).toEqual({
      value: { intent: 'refund', confidence: 0.81 },
      repaired: true,
      confidence: 0.81,
    })
  })

  it('S3: a confidence outside 0..1 is refused, whatever the schema says', () => {
    for (const confidence of [1.2, -0.1, 90]) {
      expect(faultOf(() => readOutput({ value: { intent: 'refund', confidence }, usage }, schema))).toMatchObject({
        code: 'confidence.invalid',
      })
    }
  })
})
