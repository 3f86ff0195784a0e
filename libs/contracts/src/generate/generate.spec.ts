import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { EXAMPLES } from '../examples.ts'
import { isJsonObject, type Json, type JsonObject } from '../json.ts'
import { checkMessage, contractNames } from '../registry.ts'
import { topicManifest } from '../topics.ts'
import { breakingChanges } from './compatibility.ts'
import { generatedFiles } from './index.ts'
import { messageSchema } from './message-schemas.ts'

const folder = join(import.meta.dirname, '../../../../docs/generated')
const committed = (path: string): string => readFileSync(join(folder, path), 'utf8')
const ajv = new Ajv2020({ strict: false })

describe('every message', () => {
  it.each(contractNames())('%s: its example passes its own schema, in zod and as JSON Schema', (name) => {
    const example: unknown = JSON.parse(JSON.stringify(EXAMPLES[name]))
    expect(checkMessage(name, example)).toEqual(example)
    const validate = ajv.compile(messageSchema(name, 'draft-2020-12'))
    expect([validate(example), validate.errors]).toEqual([true, null])
  })

  it.each(contractNames())('%s: lacks nothing that its schema requires', (name) => {
    const schema = messageSchema(name, 'draft-2020-12')
    const required = Array.isArray(schema['required']) ? schema['required'].map(String) : []
    const validate = ajv.compile({ ...schema, $id: `urn:baton:required:${name}` })
    for (const field of required) {
      const { [field]: _, ...rest } = JSON.parse(JSON.stringify(EXAMPLES[name]))
      expect([field, validate(rest)]).toEqual([field, false])
      expect(() => checkMessage(name, rest)).toThrow(expect.objectContaining({ code: 'message.undecodable', detail: { field } }))
    }
  })
})

describe('docs/generated', () => {
  it.each([...generatedFiles()])('%s is what the contracts say now (else run `npm run build && npm run gen`)', (path, text) => {
    expect(committed(path)).toBe(text)
  })

  it('holds no schema of a message that is gone', () => {
    const files = generatedFiles()
    expect(readdirSync(join(folder, 'schemas')).filter((name) => !files.has(`schemas/${name}`))).toEqual([])
  })

  it('G1: no message breaks readers or writers of its major version', () => {
    const schemas = [...generatedFiles()].filter(([path]) => path.startsWith('schemas/'))
    const broken = schemas.flatMap(([path, text]) =>
      breakingChanges(JSON.parse(committed(path)), JSON.parse(text)).map((change) => `${path}: ${change}`),
    )
    expect(broken).toEqual([])
  })
})

describe('compatibility', () => {
  const before: JsonObject = {
    type: 'object',
    properties: {
      id: { type: 'string', maxLength: 5 },
      kind: { enum: ['a', 'b'] },
      list: { type: 'array', items: { type: 'number' } },
      extra: { type: 'string' },
    },
    required: ['id'],
  }
  const changed = (change: (schema: Record<string, Json>, properties: Record<string, Json>) => void): readonly string[] => {
    const after: Record<string, Json> = JSON.parse(JSON.stringify(before))
    const properties = after['properties']
    change(after, isJsonObject(properties) ? (after['properties'] = { ...properties }) : {})
    return breakingChanges(before, after)
  }

  it('G1: takes new optional fields and new values of an enum', () => {
    expect(changed((_, properties) => Object.assign(properties, { more: { type: 'string' }, kind: { enum: ['a', 'b', 'c'] } }))).toEqual([])
  })

  it.each<[string, (schema: Record<string, Json>, properties: Record<string, Json>) => void, string]>([
    ['a field that goes', (_, properties) => delete properties['extra'], 'extra: is gone'],
    ['a new required field', (schema) => (schema['required'] = ['id', 'kind']), '(root): "kind" became required'],
    ['a required field that may be missing', (schema) => (schema['required'] = []), '(root): "id" is no longer required'],
    ['another type', (_, properties) => (properties['extra'] = { type: 'number' }), 'extra: type was "string" and is "number"'],
    ['other bounds', (_, properties) => (properties['id'] = { type: 'string', maxLength: 4 }), 'id: maxLength was 5 and is 4'],
    ['a value of an enum that goes', (_, properties) => (properties['kind'] = { enum: ['a'] }), 'kind: the value "b" is gone'],
    [
      'another type of items',
      (_, properties) => (properties['list'] = { type: 'array', items: { type: 'string' } }),
      'list[items]: type was "number" and is "string"',
    ],
  ])('G1: refuses %s', (_, change, expected) => {
    expect(changed(change)).toEqual([expected])
  })
})

describe('topics', () => {
  it('every topic of a contract is created by the manifest, but those of tasks', () => {
    const manifest = topicManifest().map(({ name }) => name)
    const document: { channels: Record<string, { address: string }> } = JSON.parse(generatedFiles().get('asyncapi.json') ?? '{}')
    const missing = Object.values(document.channels)
      .map(({ address }) => address)
      .filter((address) => !manifest.includes(address))
    expect(missing).toEqual(['baton.tasks.{task}'])
  })
})
