import { describe, expect, it } from '@jest/globals'
import { toFault, type Json, type JsonSchema } from '@baton/contracts'
import { compileInputCheck } from './input-check.ts'

const refusal = (input: JsonSchema, value: Json): { code: string; message: string; field: unknown } | undefined => {
  try {
    compileInputCheck({ flow: 'a/b', input })(value)
    return undefined
  } catch (error) {
    const { code, message, detail } = toFault(error)
    return { code, message, field: detail['field'] }
  }
}

const schema = {
  type: 'object',
  properties: {
    text: { type: 'string', minLength: 1 },
    priority: { enum: ['low', 'high'] },
    items: { type: 'array', items: { type: 'object', required: ['sku'] } },
  },
  required: ['text'],
  additionalProperties: false,
}

describe('input of a flow', () => {
  it('passes where it fits, and where the flow declares none', () => {
    expect(refusal(schema, { text: 'hello', priority: 'low' })).toBeUndefined()
    expect(refusal(true, 'anything')).toBeUndefined()
  })
  it.each([
    [{}, 'input.text', 'input.text is required'],
    [{ text: 1 }, 'input.text', 'input.text must be string'],
    [{ text: 'a', priority: 'urgent' }, 'input.priority', 'input.priority must be one of low, high'],
    [{ text: 'a', colour: 'red' }, 'input.colour', 'input.colour is not a field that is known here'],
    [{ text: 'a', items: [{ sku: 1 }, {}] }, 'input.items.1.sku', 'input.items.1.sku is required'],
    ['text', 'input', 'input must be object'],
  ])('D1: names the field and the reason for %j', (value, field, message) => {
    expect(refusal(schema, value)).toEqual({ code: 'input.invalid', field, message })
  })
  it('blames the flow for a schema that is none', () => {
    expect(refusal({ type: 'nonsense' }, {})).toMatchObject({ code: 'flow.invalid' })
  })

  it('fills in the defaults of the schema, so that expressions find every declared field', () => {
    const input = { text: 'x' }
    compileInputCheck({
      flow: 'a/b',
      input: { type: 'object', properties: { text: { type: 'string' }, sensitive: { type: 'boolean', default: false } } },
    })(input)
    expect(input).toEqual({ text: 'x', sensitive: false })
  })
})
