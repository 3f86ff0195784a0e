import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { Ajv } from 'ajv'
import { parse } from 'yaml'
import { isJsonObject } from '@baton/contracts/json'
import { editorSchema, editorSchemaFile } from './editor-schema.ts'
import { EVERYTHING } from './testing/everything.ts'
import { CHAIN, SUPPORT } from './testing/samples.ts'

const validate = new Ajv({ strict: false }).compile(editorSchema())

describe('the schema for editors', () => {
  it('is what the format says now (else run `npm run build && npm run gen`)', () => {
    for (const [path, text] of editorSchemaFile())
      expect(readFileSync(join(import.meta.dirname, '../../../docs/generated', path), 'utf8')).toBe(text)
  })

  it.each([
    ['the chain', CHAIN],
    ['the support product', SUPPORT],
    ['every word there is', EVERYTHING],
    [
      'outcomes',
      'steps: [{ a: { tool: x, gate: [{ when: it.ok, then: { do: [{ b: hi }], then: end } }, { else: { retry: { attempts: 2 } } }, { else: b }] } }]',
    ],
  ])('takes %s', (_, text) => {
    expect([validate(parse(text)), validate.errors]).toEqual([true, null])
  })

  it.each([
    ['a flow without steps', 'flow: a/b'],
    ['a misspelt key', 'stpes: [{ a: hi }]\nsteps: [{ a: hi }]'],
    ['a step that does nothing', 'steps: [{ a: { timeout: 5s } }]'],
    ['a number for a duration', 'steps: [{ a: { tool: x, timeout: 5 } }]'],
    ['a share above one', 'agents: { a: { prompt: hi, minConfidence: 1.2 } }\nsteps: [{ a: hi }]'],
    ['a join that is no word', 'steps: [{ a: { parallel: { b: hi }, join: most } }]'],
    ['a trigger of two kinds', 'triggers: [{ topic: a, every: 1h }]\nsteps: [{ a: hi }]'],
    ['silence as consent (E5)', 'steps: [{ a: { human: { queue: q, onTimeout: approve } } }]'],
  ])('refuses %s', (_, text) => {
    expect(validate(parse(text))).toBe(false)
  })

  it('I8: says what each key means', () => {
    const silent: string[] = []
    const visit = (value: unknown, path: string): void => {
      if (!isJsonObject(value)) {
        if (Array.isArray(value)) value.forEach((item, index) => visit(item, `${path}[${index}]`))
        return
      }
      const { properties } = value
      for (const [key, field] of isJsonObject(properties) ? Object.entries(properties) : [])
        if (isJsonObject(field) && field['description'] === undefined && field['$ref'] === undefined && field['properties'] === undefined)
          silent.push(`${path}.${key}`)
      for (const [key, field] of Object.entries(value)) visit(field, `${path}.${key}`)
    }
    visit(editorSchema(), '')
    expect(silent).toEqual([])
  })

  it('I8: its definitions show an example, where it is not one of several forms', () => {
    const { definitions } = editorSchema()
    const literals = Object.entries(isJsonObject(definitions) ? definitions : {}).filter(
      ([, value]) => isJsonObject(value) && 'pattern' in value,
    )
    expect(literals.map(([, value]) => isJsonObject(value) && Array.isArray(value['examples']))).toEqual(literals.map(() => true))
  })
})
