/* oxlint-disable unicorn/no-thenable -- `then` is a word of the flow format; nothing here is ever awaited */
// The schema editors use for flow files: completion and a first check while typing. The compiler decides; this only helps.
import type { JsonObject } from '@baton/contracts/json'
import { KINDS } from './read/work.ts'

const ref = (name: string): JsonObject => ({ $ref: `#/definitions/${name}` })
const text = (description: string): JsonObject => ({ type: 'string', description })
const oneOf = (...values: readonly string[]): JsonObject => ({ enum: values })
const closed = (properties: JsonObject, more: JsonObject = {}): JsonObject => ({
  type: 'object',
  properties,
  additionalProperties: false,
  ...more,
})
const texts: JsonObject = { anyOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' }, minItems: 1 }] }

const work: JsonObject = {
  model: { ...texts, description: 'a route or model; a list is failover in that order' },
  prompt: text('NAME@1 for prompts/NAME@1.md, or the prompt itself'),
  tool: { ...texts, description: 'SERVER/TOOL; a list is failover in that order' },
  retrieve: {
    anyOf: [
      { type: 'string' },
      closed({ index: { type: 'string' }, top: { type: 'integer', minimum: 1, maximum: 100 } }, { required: ['index'] }),
    ],
  },
  check: { description: 'checks on content: a name, a list, or names with options' },
  human: { anyOf: [{ type: 'string' }, ref('human')] },
  task: text('done by another team: baton.tasks.NAME'),
  switch: { anyOf: [ref('expression'), { type: 'array', items: ref('rule'), minItems: 1 }] },
  set: { description: 'a value; "=" starts an expression' },
}

const common: JsonObject = {
  when: { ...ref('condition'), description: 'the step is skipped, and null, when this is false' },
  with: { description: 'values for the step; "=" starts an expression' },
  returns: { description: 'NAME@1 for schemas/NAME@1.json, or the schema' },
  timeout: { ...ref('duration'), description: 'time of one try' },
  retry: { anyOf: [{ type: 'integer', minimum: 1, maximum: 20 }, ref('retry')] },
  gate: {
    anyOf: [
      { type: 'array', items: ref('rule'), minItems: 1 },
      closed({ when: ref('condition'), then: ref('outcome'), else: ref('outcome'), label: { type: 'string' } }),
    ],
  },
  onError: ref('outcome'),
  effect: oneOf('read', 'write', 'irreversible'),
  cases: { type: 'object', additionalProperties: ref('outcome') },
  else: ref('outcome'),
  about: { type: 'string' },
}

const definitions: JsonObject = {
  duration: { type: 'string', pattern: '^\\d+(\\.\\d+)?(ms|s|m|h|d)$', examples: ['5s', '120m'] },
  expression: { type: 'string', pattern: '^=' },
  condition: { type: ['string', 'boolean'], description: 'a CEL expression' },
  step: { type: 'object', minProperties: 1, maxProperties: 1, additionalProperties: { anyOf: [text('a prompt'), ref('body')] } },
  body: closed({ ...work, ...common }, { anyOf: [...KINDS, 'prompt'].map((kind) => ({ required: [kind] })) }),
  rule: closed({ when: ref('condition'), then: ref('outcome'), else: ref('outcome'), label: { type: 'string' } }),
  outcome: {
    anyOf: [
      text('next, end, fail, or the name of a later step'),
      closed(
        { retry: closed({ model: texts, prompt: { type: 'string' }, attempts: { type: 'integer', minimum: 1, maximum: 20 } }) },
        { required: ['retry'] },
      ),
      closed({ do: { type: 'array', items: ref('step'), minItems: 1 }, then: oneOf('next', 'end', 'fail') }, { required: ['do'] }),
      closed({ ...work, ...common, then: oneOf('next', 'end', 'fail') }),
    ],
  },
  human: closed(
    {
      queue: { type: 'string' },
      priority: oneOf('emergency', 'high', 'normal', 'low'),
      sla: ref('duration'),
      title: { type: 'string' },
      onTimeout: oneOf('fail', 'escalate'),
    },
    { required: ['queue'] },
  ),
  retry: closed({
    attempts: { type: 'integer', minimum: 1, maximum: 20 },
    backoff: oneOf('fixed', 'exponential'),
    delay: ref('duration'),
    maxDelay: ref('duration'),
    jitter: { type: 'boolean' },
  }),
  param: closed(
    { type: oneOf('number', 'integer', 'string', 'boolean', 'duration'), default: {}, min: {}, max: {}, about: { type: 'string' } },
    { required: ['type', 'default'] },
  ),
}

/** JSON Schema (draft 7, which editors read) of a flow file. */
export const editorSchema = (): JsonObject => ({
  $schema: 'http://json-schema.org/draft-07/schema#',
  title: 'Baton flow',
  ...closed(
    {
      flow: {
        type: 'string',
        pattern: '^[a-z0-9][a-z0-9_-]*/[a-z0-9][a-z0-9_-]*(@\\d+\\.\\d+\\.\\d+.*)?$',
        examples: ['support/customer-support@1.0.0'],
      },
      about: { type: 'string' },
      limits: closed({
        time: ref('duration'),
        total: ref('duration'),
        steps: { type: 'integer', minimum: 1 },
        cost: { type: 'string', pattern: '^\\d+(\\.\\d{1,6})? USD$' },
      }),
      params: { type: 'object', additionalProperties: ref('param') },
      input: { description: 'fields with their types, or a JSON Schema' },
      steps: { type: 'array', items: ref('step'), minItems: 1 },
      onError: ref('outcome'),
      output: { description: 'what the run answers; the last output where absent' },
      results: closed({ topic: { type: 'string' } }),
      labels: { type: 'object', additionalProperties: { type: ['string', 'number', 'boolean'] } },
    },
    { required: ['steps'] },
  ),
  definitions,
})

/** The schema as a file below docs/generated. */
export const editorSchemaFile = (): ReadonlyMap<string, string> =>
  new Map([['flow.schema.json', `${JSON.stringify(editorSchema(), null, 2)}\n`]])
