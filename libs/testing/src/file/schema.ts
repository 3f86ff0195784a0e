// The schema editors use for test files: completion and a first check while typing. The reader decides; this only helps.
import { FAULTS } from '@baton/contracts/fault'
import type { Json, JsonObject } from '@baton/contracts/json'
import { STATUSES } from './words.ts'

const text = (description: string, ...examples: readonly Json[]): JsonObject => ({
  type: 'string',
  description,
  ...(examples.length === 0 ? {} : { examples }),
})
const closed = (properties: JsonObject, more: JsonObject = {}): JsonObject => ({
  type: 'object',
  properties,
  additionalProperties: false,
  ...more,
})
const mapOf = (values: JsonObject, description: string): JsonObject => ({ type: 'object', additionalProperties: values, description })
const listOf = (items: JsonObject, description: string): JsonObject => ({ type: 'array', items, description })
const ref = (name: string): JsonObject => ({ $ref: `#/definitions/${name}` })
const bound = (description: string, ...examples: readonly Json[]): JsonObject => ({ type: ['string', 'number'], description, examples })

const time = bound('a time', '500ms', '5s', '120m', '2h', '3d')
const aside: JsonObject = {
  takes: { ...time, description: 'how long it takes; never: there is no answer' },
  cost: bound('what it costs', '0.002 USD'),
  tokens: { type: 'integer', minimum: 0, description: 'tokens of the answer' },
  by: text('who gave it', 'model:large'),
  leftOut: listOf(
    closed(
      { part: text('a part of the context', 'docs'), tokens: { type: 'integer', minimum: 1 }, how: text('how it was shortened', 'end') },
      { required: ['part'] },
    ),
    'what did not fit the context',
  ),
}
const line: JsonObject = {
  anyOf: [text('a step, or STEP: CHOICE', 'classify', 'facts: refund'), { type: 'object', minProperties: 1, maxProperties: 1 }],
}

const definitions: JsonObject = {
  script: {
    anyOf: [
      closed(
        { gives: { description: 'the output' }, confidence: { type: 'number', minimum: 0, maximum: 1 }, ...aside },
        { required: ['gives'] },
      ),
      closed(
        {
          fails: { enum: Object.keys(FAULTS), description: 'code of the fault' },
          message: text('what it says'),
          times: { type: 'integer', minimum: 1, description: 'how often; then what gives says' },
          gives: { description: 'the output afterwards' },
          ...aside,
        },
        { required: ['fails'] },
      ),
      closed(
        {
          calls: listOf(
            closed({ tool: text('the tool'), arguments: { type: 'object' }, id: text('as the model names it') }, { required: ['tool'] }),
            'tools that a turn of an agent calls',
          ),
          ...aside,
        },
        { required: ['calls'] },
      ),
      { description: 'the output' },
    ],
  },
  person: {
    anyOf: [
      { const: 'never', description: 'nobody decides' },
      closed(
        {
          decides: { enum: ['approve', 'edit', 'reject', 'respond'] },
          output: { description: 'what the person writes' },
          after: { ...time, description: 'how long it takes' },
          by: text('who decides', 'ada'),
          reason: text('why'),
        },
        { required: ['decides'] },
      ),
    ],
  },
  answers: mapOf(
    { anyOf: [listOf(ref('script'), 'one for each asking; an output that is a list stands in gives'), ref('script')] },
    'what comes back, by step, or by model, tool, index, task, check or agent',
  ),
  people: mapOf({ anyOf: [ref('person'), listOf(ref('person'), 'one after the other')] }, 'what people do, by step or queue'),
  events: listOf(
    closed({
      at: { ...time, description: 'how long after the start' },
      event: text('name of an event that is sent to the run'),
      data: { description: 'what the event holds' },
      id: text('the same event twice is one'),
      do: { enum: ['pause', 'resume', 'cancel', 'patch'] },
      by: text('who'),
      reason: text('why'),
      input: { type: 'object' },
      params: { type: 'object' },
    }),
    'what happens outside while the run goes on',
  ),
  expect: closed(
    {
      status: { enum: [...STATUSES] },
      output: { description: 'fields that the output has, with these values' },
      fault: text('code of the fault, or part of its message'),
      path: listOf(line, 'what the run passes, in this order; others may lie between'),
      notPath: listOf(line, 'what it does not pass'),
      asked: listOf(text('step, model, tool or queue'), 'who is asked'),
      notAsked: listOf(text('step, model, tool or queue'), 'who is not asked'),
      people: listOf(text('step or queue'), 'whose people are asked, and no others'),
      cost: bound('what it costs', '<= 0.05 USD'),
      steps: bound('how many steps run', '<= 10'),
      duration: bound('from the request to the result', '3d', '<= 2h'),
      degraded: listOf(text('code of a fault'), 'faults that were made good for'),
      emitted: listOf(text('topic'), 'topics that something is sent to, in this order'),
    },
    { description: 'what is looked at; what is absent is not' },
  ),
}

const said: JsonObject = {
  answers: ref('answers'),
  people: ref('people'),
  params: { type: 'object', description: 'params of the flow' },
  events: ref('events'),
  now: text('when the run starts', '2026-01-05T09:00:00Z'),
}

/** JSON Schema (draft 7, which editors read) of a test file, below docs/generated. */
export const flowTestSchemaFile = (): ReadonlyMap<string, string> => {
  const schema: JsonObject = {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Baton flow test',
    ...closed(
      {
        flow: text('the flow, as a path from this file; default: flow.yaml beside it or in the folder around', '../flow.yaml'),
        about: text('what is tested'),
        flows: mapOf(text('the file, as a path from this one'), 'flows that steps start; others are scripted by their name'),
        ...said,
        cases: listOf(
          closed(
            {
              name: text('what the case shows'),
              about: text('more about it'),
              input: { description: 'the input of the run' },
              ...said,
              expect: ref('expect'),
            },
            { required: ['name'] },
          ),
          'the cases; what is said above holds for all of them',
        ),
      },
      { required: ['cases'] },
    ),
    definitions,
  }
  return new Map([['flow-test.schema.json', `${JSON.stringify(schema, null, 2)}\n`]])
}
