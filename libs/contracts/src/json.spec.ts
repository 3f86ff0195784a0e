import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { canonicalJson, isJsonObject } from './json.ts'

/** The same value with the keys of every object in reverse order. */
const reversed = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(reversed)
  return isJsonObject(value)
    ? Object.fromEntries(
        Object.entries(value)
          .toReversed()
          .map(([key, field]) => [key, reversed(field)]),
      )
    : value
}

describe('canonical JSON', () => {
  it('is JSON that reads back as the same value', () => {
    fc.assert(fc.property(fc.jsonValue(), (value) => expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)))))
  })

  it('does not depend on the order of keys', () => {
    fc.assert(fc.property(fc.jsonValue(), (value) => canonicalJson(reversed(value)) === canonicalJson(value)))
  })

  it('orders keys by code unit, leaves out undefined fields, writes undefined items as null', () => {
    expect(canonicalJson({ b: 1, a: { d: undefined, c: [undefined, 'x'] }, B: -0 })).toBe('{"B":0,"a":{"c":[null,"x"]},"b":1}')
  })
})
