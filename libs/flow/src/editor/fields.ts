/* oxlint-disable unicorn/no-thenable -- `then` is a word of the flow format; nothing here is ever awaited */
// The fields any step may have.
import type { JsonObject } from '@baton/contracts/json'
import { any, caps, closed, count, listOf, mapOf, oneOf, ref, text, word, yesNo } from './pieces.ts'

const part = closed(
  {
    name: text('what it is called'),
    from: oneOf('an expression, or the conversation', ref('expression'), { const: 'history' }),
    buffer: text('a buffer instead'),
    priority: count('1 is kept longest', 1_000),
    tokens: ref('amount', 'tokens at most'),
    least: ref('amount', 'tokens that are kept for it, whatever the others need'),
    turns: count('turns of the conversation at most', 10_000),
    cut: word('how it is shortened, never fails the step instead; end where absent', 'end', 'start', 'middle', 'summary', 'never'),
  },
  { examples: [{ name: 'docs', from: '=docs.items', priority: 1, cut: 'end' }] },
)

const hedge = closed(
  { after: ref('duration', 'a call that takes longer has stalled'), max: count('how many more are started; 1 where absent', 5) },
  { required: ['after'] },
)
const cache = closed(
  {
    for: ref('duration', 'how long an answer is good for'),
    key: any('what makes two calls the same; all arguments where absent', '=input.text'),
    scope: word('who shares it; tenant where absent', 'run', 'session', 'user', 'tenant'),
  },
  { required: ['for'] },
)
const gate = closed({
  when: ref('condition'),
  then: ref('outcome'),
  else: ref('outcome'),
  label: text('what the journal says was chosen'),
})

/** Fields beside the work of any step. */
export const fields: JsonObject = {
  when: ref('condition', 'the step is skipped, and null, when this is false'),
  with: any('values for the step; "=" starts an expression', { text: '=input.text', top: 5 }),
  returns: any('the schema of the output: NAME of schemas, NAME@1 for schemas/NAME@1.json, or fields with their types', {
    intent: 'refund | technical',
    confidence: '0..1',
  }),
  timeout: ref('duration', 'time of one try; of a parallel, map, vote, loop or flow step the time of the whole'),
  retry: oneOf('tries when it fails in a way that another try may cure; 1 where absent', count('how many', 20), ref('retry')),
  failover: oneOf('tried in this order when the step itself fails', ref('block'), listOf(ref('block'), 'bodies in their order')),
  gate: oneOf('"it" is the output; the first rule that holds decides', listOf(ref('rule'), 'rules'), gate),
  guard: oneOf('checks on what goes in and comes out', { type: 'string' }, { type: 'array' }, mapOf({}, 'names with options')),
  cache: oneOf('the same question gets the same answer, where the step changes nothing: a tool needs effect: read', ref('duration'), cache),
  hedge: oneOf('a stalled call is started a second time; the first answer wins', ref('duration'), hedge),
  budget: oneOf('what this step may spend', ref('money'), caps('', 'cost', 'tokens', 'calls')),
  effect: word('what it changes outside; irreversible needs an approval before it', 'read', 'write', 'irreversible'),
  onError: ref('outcome', 'when it failed; "fault" says how'),
  onTimeout: ref('outcome', 'when the time is over'),
  onLimit: ref('outcome', 'when a limit or budget is reached'),
  undo: ref('block', 'takes the effect back when the run fails later; "it" is the output of the step'),
  context: closed(
    { tokens: ref('amount', 'tokens in all'), parts: listOf(part, 'by priority; what does not fit is cut, never silently') },
    { description: 'what the model gets to see' },
  ),
  media: oneOf('images, audio or files that the model gets', ref('expression'), listOf(ref('expression'), 'several')),
  writes: text('a buffer that gets the output as well'),
  about: text('what it is for, in words'),
}

export const fieldDefinitions: JsonObject = {
  retry: closed(
    {
      attempts: count('tries in all; 3 where absent', 20),
      backoff: word('how the pauses grow; exponential where absent', 'fixed', 'exponential'),
      delay: ref('duration', 'the first pause; 500ms where absent'),
      maxDelay: ref('duration', 'the longest pause; 30s where absent'),
      jitter: yesNo('pauses differ by chance; true where absent'),
    },
    { description: 'tries within one step', examples: [{ attempts: 3, backoff: 'exponential' }] },
  ),
  rule: closed(
    {
      when: ref('condition', 'this line counts when it is true'),
      then: ref('outcome', 'what happens then'),
      else: ref('outcome', 'alone on the last line: what happens otherwise'),
      label: text('what the journal says was chosen'),
    },
    { description: 'a line of a gate or switch: when and then, or else' },
  ),
}
