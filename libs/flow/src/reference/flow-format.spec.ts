import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { isJsonObject, type JsonObject } from '@baton/contracts/json'
import { compileFlow } from '../compile.ts'
import { formatDiagnostic } from '../diagnostic.ts'
import { editorSchema } from '../editor-schema.ts'
import { KIND_EXAMPLES, SCHEMA_FORMS } from './examples.ts'
import { flowFormatFile, flowFormatPage } from './flow-format.ts'

const SMALL: JsonObject = {
  type: 'object',
  required: ['steps'],
  properties: {
    steps: { type: 'array', items: { $ref: '#/definitions/body' } },
    limits: { type: 'object', properties: { time: { $ref: '#/definitions/duration', default: '10m', description: 'working time' } } },
  },
  definitions: {
    duration: { type: 'string', pattern: '^\\d+(s|m)$', examples: ['5s'], description: 'a time' },
    body: {
      type: 'object',
      description: 'what a step does',
      properties: { tool: { type: 'string' }, top: { type: 'integer', minimum: 1, maximum: 9 }, join: { enum: ['all', 'any'] } },
      anyOf: [{ required: ['tool'] }],
      examples: [{ tool: 'shop/prices', top: 3 }],
    },
  },
}

/** The keys of every object in a schema. */
const keysIn = (value: unknown): readonly string[] => {
  if (Array.isArray(value)) return value.flatMap(keysIn)
  if (!isJsonObject(value)) return []
  const { properties } = value
  return [...(isJsonObject(properties) ? Object.keys(properties) : []), ...Object.values(value).flatMap(keysIn)]
}

describe('docs/generated/flow-format.md', () => {
  it('is what the format says now (else run `npm run build && npm run gen`)', () => {
    for (const [path, text] of flowFormatFile())
      expect(readFileSync(join(import.meta.dirname, '../../../../docs/generated', path), 'utf8')).toBe(text)
  })

  it('R1: has every key of the schema', () => {
    const page = flowFormatPage(editorSchema())
    expect([...new Set(keysIn(editorSchema()))].filter((key) => !new RegExp(`[\`.{ ]${key}[\`,. ]`).test(page))).toEqual([])
  })

  it('R1: a row has the type, the default, the meaning and what is required', () => {
    const page = flowFormatPage(SMALL)
    expect(page).toContain('| **`steps`** | list of [body](#body) |  |  |')
    expect(page).toContain('| `limits.time` | [duration](#duration) | `10m` | working time |')
    expect(page).toContain('| `top` | integer, 1 to 9 |  |  |')
    expect(page).toContain('| `join` | `all`, `any` |  |  |')
  })

  it('R1: forms of text are literals, with examples; larger examples stand as they are written', () => {
    const page = flowFormatPage(SMALL)
    expect(page).toContain('| <a id="duration"></a>`duration` | `5s` | `^\\d+(s\\|m)$` | a time |')
    expect(page).toContain('```yaml\ntool: shop/prices\ntop: 3\n```')
  })

  it('R1: what a step needs stands before what it may say', () => {
    expect(flowFormatPage(SMALL)).toMatch(/One of these is needed\.[\s\S]*`tool`[\s\S]*These may stand beside it\.[\s\S]*`top`/)
  })

  it('R1: a default that a description ends with stands in its own column', () => {
    const page = flowFormatPage({ properties: { join: { enum: ['all', 'any'], description: 'which are waited for; all where absent' } } })
    expect(page).toContain('| `join` | `all`, `any` | `all` | which are waited for |')
  })

  it('R2: is the same each time', () => {
    expect(flowFormatPage(SMALL)).toBe(flowFormatPage(SMALL))
  })
})

const mistakesOf = (text: string): readonly string[] =>
  compileFlow({ files: new Map([['flow.yaml', text]]), entry: 'flow.yaml' }).diagnostics.map(formatDiagnostic)

describe('the examples of the page', () => {
  it('show every kind of step', () => {
    const body = editorSchema()['definitions']
    const needed = isJsonObject(body) && isJsonObject(body['body']) ? body['body']['anyOf'] : []
    const kinds = Array.isArray(needed) ? needed.flatMap((each) => (isJsonObject(each) ? each['required'] : [])) : []
    expect(kinds.filter((kind) => kind !== 'prompt')).toEqual(expect.arrayContaining(Object.keys(KIND_EXAMPLES)))
    expect(Object.keys(KIND_EXAMPLES)).toHaveLength(kinds.filter((kind) => kind !== 'prompt').length)
  })

  it.each(Object.entries(KIND_EXAMPLES))('%s compiles', (_, text) => {
    expect(mistakesOf(text)).toEqual([])
  })

  it.each(SCHEMA_FORMS)('$form is a type', ({ form }) => {
    expect(mistakesOf(`input:\n  field: ${form}\nsteps:\n  - same: { set: =input }\n`)).toEqual([])
  })
})
