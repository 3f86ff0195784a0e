/* oxlint-disable unicorn/no-thenable -- `then` is a word of the flow format; nothing here is ever awaited */
// The schema editors use for flow files: completion and a first check while typing. The compiler decides; this only helps.
import type { JsonObject } from '@baton/contracts/json'
import { fieldDefinitions, fields } from './editor/fields.ts'
import { beside, kindDefinitions, work } from './editor/kinds.ts'
import { literalDefinitions } from './editor/literals.ts'
import { closed, count, listOf, oneOf, ref, text, texts, word } from './editor/pieces.ts'
import { topDefinitions, topWords } from './editor/top.ts'
import { KINDS } from './read/work.ts'

const after = word('how the run goes on afterwards', 'next', 'end', 'fail')
const needed: JsonObject = { anyOf: [...KINDS, 'prompt'].map((kind) => ({ required: [kind] })) }
const doSteps = listOf(ref('step'), 'several steps; the last output counts')

const definitions: JsonObject = {
  step: {
    type: 'object',
    minProperties: 1,
    maxProperties: 1,
    additionalProperties: { anyOf: [text('a prompt'), ref('body')] },
    description: 'one name and what is done under it; later expressions know the output by this name',
    examples: [{ summary: 'Summarise {{ facts }}' }],
  },
  body: closed(
    { ...work, ...beside, ...fields },
    { ...needed, description: 'what a step does, by one word, and what may be said about it' },
  ),
  block: oneOf(
    'one or several steps with one output, the last',
    text('a prompt'),
    ref('body'),
    closed({ do: doSteps }, { required: ['do'] }),
    listOf(ref('step'), 'steps'),
  ),
  outcome: oneOf(
    'what happens next, wherever something is decided',
    text('next, end, fail, or the name of a later step'),
    closed(
      {
        retry: closed({
          model: texts('another model or route'),
          prompt: text('another prompt'),
          attempts: count('how often; once where absent', 20),
        }),
      },
      { required: ['retry'], description: 'the same step again, changed' },
    ),
    closed({ do: doSteps, then: after }, { required: ['do'] }),
    closed({ ...work, ...beside, ...fields, then: after }, { ...needed }),
  ),
  ...kindDefinitions,
  ...fieldDefinitions,
  ...topDefinitions,
  ...literalDefinitions,
}

/** JSON Schema (draft 7, which editors read) of a flow file. */
export const editorSchema = (): JsonObject => ({
  $schema: 'http://json-schema.org/draft-07/schema#',
  title: 'Baton flow',
  ...closed(topWords, { required: ['steps'] }),
  definitions,
})

/** The schema as a file below docs/generated. */
export const editorSchemaFile = (): ReadonlyMap<string, string> =>
  new Map([['flow.schema.json', `${JSON.stringify(editorSchema(), null, 2)}\n`]])
