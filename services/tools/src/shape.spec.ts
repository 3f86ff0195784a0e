import { describe, expect, it } from '@jest/globals'
import type { JsonSchema } from '@baton/contracts'
import { jsonShape, schemaOfShape } from './shape.ts'

const read = (schema: JsonSchema) => () => jsonShape(schema, 'a/b')
const issue = (schema: JsonSchema, value: unknown): string => {
  const parsed = jsonShape(schema, 'a/b').safeParse(value)
  return parsed.success ? '' : (parsed.error.issues[0]?.path ?? []).map(String).join('.')
}

describe('the shape of arguments and outputs', () => {
  it('H1: a schema that cannot be used is refused when it is read', () => {
    expect(read({ type: 'nonsense' })).toThrow(expect.objectContaining({ code: 'config.invalid' }))
    expect(read({ $ref: '#/$defs/none' })).toThrow(expect.objectContaining({ code: 'config.invalid' }))
    expect(read({ description: 'x'.repeat(300_000) })).toThrow(/larger than/)
  })

  it('H2: schemas of others are data: nothing asynchronous, nothing from elsewhere', () => {
    expect(read({ $async: true, type: 'object' })).toThrow(/\$async is not allowed/)
    expect(read({ type: 'object', properties: { a: { $async: true } } })).toThrow(/\$async is not allowed/)
    const evil = jsonShape({ type: 'string', pattern: '^(a+)+$' }, 'a/b')
    expect(evil.safeParse(`${'a'.repeat(50_000)}!`).success).toBe(false) // in no time
    expect(read({ type: 'string', pattern: '(?=a)b' })).toThrow(expect.objectContaining({ code: 'config.invalid' }))
    expect(read({ $ref: 'https://evil.example/schema.json' })).toThrow(expect.objectContaining({ code: 'config.invalid' }))
  })

  it('names the field that does not fit, and leaves the value as it was given', () => {
    const schema = {
      type: 'object',
      properties: { 'a/b': { type: 'object', required: ['c'] }, d: { default: 4 } },
      additionalProperties: false,
    }
    expect(issue(schema, { 'a/b': {} })).toBe('a/b.c')
    expect(issue(schema, { e: 1 })).toBe('e')
    const given = {}
    expect(jsonShape(schema, 'a/b').safeParse(given)).toEqual({ success: true, data: { d: 4 } })
    expect(given).toEqual({})
    expect(jsonShape(false, 'a/b').safeParse(1)).toMatchObject({ success: false })
    expect(schemaOfShape(jsonShape(schema, 'a/b'))).toBe(schema)
  })

  it('takes documents of an older dialect as they are', () => {
    expect(issue({ $schema: 'http://json-schema.org/draft-07/schema#', type: 'string' }, 'x')).toBe('')
  })
})
