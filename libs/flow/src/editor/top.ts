// The words at the top of a flow.
import type { JsonObject } from '@baton/contracts/json'
import { fields } from './fields.ts'
import { any, caps, closed, count, listOf, mapOf, oneOf, ref, text, texts, word } from './pieces.ts'

const param = closed(
  {
    type: word('what it may be', 'number', 'integer', 'string', 'boolean', 'duration'),
    default: any('its value unless it is overridden', 0.8, '80%'),
    min: any('the least it may be'),
    max: any('the most it may be'),
    about: text('what it decides, for whoever changes it'),
  },
  { required: ['type', 'default'], description: 'a value that is changed without touching the flow' },
)

const agent = closed(
  {
    about: text('what it is good at'),
    model: texts('a route or model, a list is failover in that order; default where absent'),
    prompt: text('NAME of prompts, NAME@1 for prompts/NAME@1.md, or the prompt itself'),
    tools: texts('tools it may call'),
    for: texts('types of task it is chosen for'),
    limits: caps('caps of one task', 'turns', 'calls', 'tokens', 'cost', 'time'),
    minConfidence: ref('share', 'below this the fallback is asked', ['60%']),
    selfCheck: text('a prompt with which it checks its own work; "it" is the answer'),
    fallback: ref('outcome', 'the name of another agent, or what happens instead'),
    handoff: texts('agents it may hand over to'),
    context: fields['context'] ?? {},
    returns: fields['returns'] ?? {},
  },
  { required: ['prompt'], description: 'an agent: a model with a task, tools and limits' },
)

const buffer = closed({
  of: any('the schema of an item'),
  expires: ref('duration', 'how long an item is kept; 10m where absent'),
  items: count('how many are kept; 100 where absent', 10_000),
})

const input = any('the input of the run; "event" is what arrived', { text: '=event.text' })
const trigger = oneOf(
  'a topic, an HTTP request or a schedule',
  closed(
    {
      topic: text('each record of this topic starts a run', 'tickets'),
      key: ref('expression', 'two events with the same key start one run', ['=event.id']),
      when: ref('condition', 'which events', ['event.kind == "ticket"']),
      input,
    },
    { required: ['topic'] },
  ),
  closed(
    {
      http: { type: 'string', pattern: '^((GET|POST|PUT) +)?/', description: 'method and path', examples: ['POST /tickets'] },
      when: ref('condition'),
      input,
    },
    { required: ['http'] },
  ),
  closed(
    {
      schedule: text('minute, hour, day of the month, month, day of the week', '0 6 * * 1-5'),
      zone: text('the time zone; UTC where absent', 'Europe/Berlin'),
      input,
    },
    { required: ['schedule'] },
  ),
  closed({ every: ref('duration', 'again and again', ['1h']), input }, { required: ['every'] }),
)

export const topDefinitions: JsonObject = { param, agent, buffer, trigger }

/** Keys of a flow. */
export const topWords: JsonObject = {
  flow: {
    type: 'string',
    pattern: '^[a-z0-9][a-z0-9_-]*/[a-z0-9][a-z0-9_-]*(@\\d+\\.\\d+\\.\\d+.*)?$',
    examples: ['support/customer-support@1.0.0'],
    description: 'namespace/name@version; local/FILE@0.0.0 where absent',
  },
  about: text('what it is for, in words'),
  labels: mapOf({ type: ['string', 'number', 'boolean'] }, 'words to find it by', { team: 'support' }),
  limits: caps('caps of one run; 10m, 30d and 100 steps where absent', 'time', 'total', 'steps', 'cost', 'tokens', 'calls', 'depth'),
  params: mapOf(ref('param'), 'values that are changed without touching the flow', {
    send: { type: 'number', default: 0.8, min: 0.5, max: 1 },
  }),
  input: any('fields with their types, or a JSON Schema; anything where absent', {
    text: 'string',
    image: 'image?',
    kind: 'refund | technical',
  }),
  output: any('what the run answers; the last output where absent', { text: '=answer.text' }),
  steps: listOf(ref('step'), 'what is done, in this order'),
  agents: mapOf(ref('agent'), 'agents by name'),
  prompts: mapOf(
    oneOf(
      'text, or system and text',
      { type: 'string' },
      closed(
        {
          system: text('who the model is'),
          text: text('what it is asked'),
          about: text(''),
          temperature: { type: 'number', minimum: 0, maximum: 2, description: 'how freely it answers; that of the model where absent' },
          seed: { type: 'integer', minimum: 0, description: 'draws the same each time; that of the model where absent' },
        },
        { required: ['text'] },
      ),
    ),
    'prompts by name, used as prompt: NAME',
  ),
  schemas: mapOf({}, 'schemas by name, used as returns: NAME', { intent: { kind: 'refund | technical', confidence: '0..1' } }),
  buffers: mapOf(ref('buffer'), 'lists that steps share; a step with writes: NAME adds its output'),
  history: closed(
    { turns: count('turns that are kept; 10 where absent', 10_000), tokens: ref('amount', 'tokens that are kept') },
    { description: 'how much of the conversation of the session the run has' },
  ),
  triggers: listOf(ref('trigger'), 'what starts it beside a request'),
  onError: ref('outcome', 'when a step failed and nothing else took care of it; "fault" says how'),
  onLimit: ref('outcome', 'when the run reached one of its limits'),
  results: closed({ topic: text('the topic of its results beside baton.results') }),
}
