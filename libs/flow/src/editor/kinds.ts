// What a step does: one word of these, and the keys beside it.
import type { JsonObject } from '@baton/contracts/json'
import { any, caps, closed, count, listOf, mapOf, oneOf, ref, text, texts, word, yesNo } from './pieces.ts'

const quorum = closed({
  n: count('how many have to approve', 20),
  of: count('of how many; more rejections than the rest reject', 20),
  distinctRoles: yesNo('each for another role; false where absent'),
  excludeRequester: yesNo('who began the run does not decide; false where absent'),
})

const human = closed(
  {
    queue: text('who is asked', 'support'),
    priority: oneOf(
      'how urgent it is, by name or from 0 to 100; normal where absent',
      { enum: ['emergency', 'high', 'normal', 'low'] },
      { type: 'integer', minimum: 0, maximum: 100 },
    ),
    sla: ref('duration', 'time to decide; 1d where absent', ['120m']),
    title: text('what the list of tasks shows'),
    onTimeout: word('what silence means, which is never consent; fail where absent', 'fail', 'escalate'),
    claim: ref('duration', 'time until somebody has to have taken it', ['10m']),
    chain: oneOf(
      'where it goes when nobody acts in time, each with clocks of its own',
      text('a queue', 'leads'),
      listOf(
        oneOf(
          'a queue, or a queue with its own clocks and roles',
          text('a queue', 'leads'),
          closed(
            { queue: text('who is asked'), sla: ref('duration'), claim: ref('duration'), roles: texts('who may answer') },
            { required: ['queue'] },
          ),
        ),
        'the rungs',
      ),
    ),
    roles: texts('one of these may answer', ['finance', 'lead']),
    skills: texts('who answers has all of these', ['german']),
    quorum: oneOf('how many people have to agree; 1 where absent', { type: 'integer', minimum: 1, maximum: 20 }, quorum),
    risk: word('what silence means at the end: only what is advisory goes on, flagged', 'advisory', 'reversible', 'irreversible'),
    kind: word('what is asked; by what is shown where absent', 'approval', 'edit', 'question', 'label'),
    reasons: oneOf(
      'reasons to reject, by name; what the model is told',
      texts('names'),
      mapOf({ type: 'string' }, 'name: what the model is told', { wrong_tone: 'Be friendlier.' }),
    ),
  },
  { required: ['queue'] },
)

const vote = closed(
  {
    voters: oneOf(
      'a number of voters, or models or steps of which each may have a weight',
      { type: 'integer', minimum: 1, maximum: 50 },
      listOf(
        oneOf('a model, { model, weight }, or a step', text('a model or route'), { type: 'object' }, { type: 'array' }),
        'models or steps',
      ),
    ),
    on: ref('expression', 'what is counted; "it" is the output of a voter; the whole output where absent', ['=it.verdict']),
    rule: word('how it is decided; majority where absent', 'majority', 'weighted', 'judge'),
    judge: ref('block', 'decides where the rule is judge; "it" is the list of answers'),
    tie: ref('outcome', 'when nobody has won'),
    early: yesNo('stop asking as soon as the result is certain; false where absent'),
  },
  { required: ['voters'], examples: [{ voters: 3, on: '=it.verdict', rule: 'majority', tie: { human: 'support' } }] },
)

const wait = closed(
  {
    event: text('the event that is waited for', 'payment/confirmed'),
    match: ref('condition', 'which event; "event" is what arrived', ['event.order == input.order']),
    key: any('what the event is found by', '=input.order'),
    timeout: ref('duration', 'how long; then onTimeout decides', ['2d']),
  },
  { required: ['event'] },
)

const team = closed(
  {
    planner: text('the agent that makes the subtasks'),
    workers: texts('agents that do them'),
    synthesis: text('the agent that makes one result of theirs'),
    concurrency: count('workers at once; 4 where absent', 100),
    limits: caps('caps of the whole team', 'rounds', 'subtasks', 'depth', 'tokens', 'calls', 'cost', 'time'),
  },
  { required: ['planner', 'workers', 'synthesis'] },
)

/** Words that say what a step does. */
export const work: JsonObject = {
  model: texts('a route or model, a list is failover in that order; default where absent', 'strong', ['gpt-large', 'haiku-small']),
  prompt: text('NAME of prompts, NAME@1 for prompts/NAME@1.md, or the prompt itself', 'Summarise {{ facts }}'),
  tool: texts('SERVER/TOOL; a list is failover in that order', 'billing/refund_status'),
  retrieve: oneOf(
    'passages of an index for with.query',
    text('an index', 'help'),
    closed({ index: text('an index'), top: count('how many passages; 5 where absent', 100) }, { required: ['index'] }),
  ),
  check: any('checks on content: a name, a list, or names with options', 'pii', { toxicity: { max: 0.5 } }),
  human: oneOf('a person decides', text('a queue', 'support'), ref('human')),
  task: text('done by another team: baton.tasks.NAME'),
  switch: oneOf('one of its cases, or the first rule that holds', ref('expression'), listOf(ref('rule'), 'rules')),
  set: any('a value; "=" starts an expression', { total: '=a.price + b.price' }),
  parallel: mapOf(ref('block'), 'branches side by side; the output has a field for each', { facts: 'List the facts of {{ input.text }}' }),
  map: ref('expression', 'a list; each of its items goes through "each", the output is the list of what comes out', ['=input.items']),
  vote: { ...vote, description: 'several voters, one answer' },
  loop: oneOf(
    'do, again and again; "it" is the output of the last round, "index" its number',
    count('rounds at most', 1_000),
    closed({ max: count('rounds at most', 1_000), until: ref('condition', 'asked after each round', ['it.score >= 0.9']) }),
  ),
  wait: oneOf('a time, or an event', ref('duration'), wait),
  emit: oneOf(
    'with as an event',
    text('a topic', 'orders'),
    closed({ topic: text('a topic'), type: text('the type of the event'), key: any('key of the record') }, { required: ['topic'] }),
  ),
  flow: text('another flow: namespace/name, with @version or @alias', 'support/refund@stable'),
  agent: oneOf(
    'an agent by name, or the one that is for a value',
    text('NAME of agents, or NAME@1 for agents/NAME@1.yaml'),
    closed({ for: ref('expression', 'its "for" has this value', ['=classify.kind']) }, { required: ['for'] }),
  ),
  team: { ...team, description: 'a planner, workers and a synthesis' },
}

/** Keys beside the word of one kind. */
export const beside: JsonObject = {
  cases: mapOf(ref('outcome'), 'of a switch: an outcome for each value'),
  else: ref('outcome', 'of a switch: where no case holds'),
  join: oneOf(
    'of parallel: which branches are waited for, first is the first that succeeds; all where absent',
    word('', 'all', 'any', 'first'),
    closed({ quorum: count('how many', 10_000) }, { required: ['quorum'] }),
  ),
  onFailure: {
    enum: ['fail', 'collect', 'null', null],
    description: 'of parallel and map: what the failure of one part does; fail where absent',
  },
  as: text('of map: the name of the item; item where absent', 'product'),
  each: ref('block', 'of map: what is done with each item'),
  concurrency: count('of map: items at once; 8 where absent', 1_000),
  chunk: count('of map: items that travel together; 1 where absent', 10_000),
  max: count('of map: items at most; 10000 where absent', 1_000_000),
  do: listOf(ref('step'), 'of loop: the steps of a round'),
  limits: caps('of flow and agent: caps of this step', 'time', 'total', 'steps', 'turns', 'calls', 'tokens', 'cost', 'depth'),
}

export const kindDefinitions: JsonObject = {
  human: { ...human, description: 'who is asked, how urgent it is, and what silence means' },
}
