import { describe, expect, it } from '@jest/globals'
import type { Json, JsonSchema } from '@baton/contracts/json'
import { schemaCheck, SchemaRefused } from './schema-check.ts'

const order = {
  type: 'object',
  properties: { id: { type: 'string', format: 'uuid' }, count: { type: 'integer', default: 1 }, state: { enum: ['open', 'paid'] } },
  required: ['id'],
  additionalProperties: false,
}
const nested = (levels: number): JsonSchema =>
  levels === 0 ? { type: 'string' } : { type: 'object', properties: { a: nested(levels - 1) } }
const deep = (levels: number): Json => (levels === 0 ? 'x' : { a: deep(levels - 1) })

describe('schemas of others (D1)', () => {
  it('says where and why, never what', () => {
    const check = schemaCheck(order)
    expect(check({ id: '6ba7b810-9dad-11d1-80b4-00c04fd430c8', state: 'paid' })).toEqual([])
    expect(check({ state: 'lost', more: 1 })).toEqual([
      { field: 'id', reason: 'is required' },
      { field: 'more', reason: 'is not a field that is known here' },
      { field: 'state', reason: 'must be one of open, paid' },
    ])
    expect(schemaCheck({ properties: { list: { items: { type: 'number' } } } })({ list: [1, 'secret'] })).toEqual([
      { field: 'list.1', reason: 'must be number' },
    ])
  })

  it('X1: an equal schema is the same check; defaults are filled in only where asked for', () => {
    expect(schemaCheck(order)).toBe(schemaCheck(structuredClone(order)))
    const value: { id: string; count?: number } = { id: '6ba7b810-9dad-11d1-80b4-00c04fd430c8' }
    schemaCheck(order)(value)
    expect(value.count).toBeUndefined()
    schemaCheck(order, { defaults: true })(value)
    expect(value.count).toBe(1)
  })

  it('X2: refuses what is asynchronous, too deep, too large, elsewhere, or no schema', () => {
    const bad: readonly JsonSchema[] = [
      { $async: true, type: 'object' },
      { properties: { a: { $async: true } } },
      nested(70),
      { description: 'x'.repeat(300_000) },
      { $ref: 'https://other.example/schema.json' },
      { type: 'nonsense' },
    ]
    for (const schema of bad) expect(() => schemaCheck(schema)).toThrow(SchemaRefused)
  })

  it('X3: a pattern that would run away answers at once, and a format is looked at', () => {
    expect(schemaCheck({ type: 'string', pattern: '^(a+)+$' })(`${'a'.repeat(5_000)}!`)).toHaveLength(1)
    expect(schemaCheck({ type: 'string', format: 'date-time' })('yesterday')).toEqual([
      { field: '', reason: 'must match format "date-time"' },
    ])
  })

  it('X4: a value nested too deeply does not fit', () => {
    expect(schemaCheck(true)(deep(70))).toEqual([{ field: '', reason: 'is nested deeper than 64' }])
    expect(schemaCheck(true)(deep(60))).toEqual([])
  })
})
