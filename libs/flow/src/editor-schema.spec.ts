import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { Ajv } from 'ajv'
import { parse } from 'yaml'
import { editorSchema, editorSchemaFile } from './editor-schema.ts'
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
    ['silence as consent (E5)', 'steps: [{ a: { human: { queue: q, onTimeout: approve } } }]'],
  ])('refuses %s', (_, text) => {
    expect(validate(parse(text))).toBe(false)
  })
})
