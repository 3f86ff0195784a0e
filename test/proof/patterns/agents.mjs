// Rows: agents and teams, with scripted models (lab/scripts/agents.yaml) and tools that ask the proof.
import { brief } from './lab.mjs'

const LIMITS = 'limits: { turns: 6, calls: 12, tokens: 50k, time: 1m }'
const ANSWER = 'returns: { text: string, confidence: 0..1 }'
const agent = (name, more = '', limits = LIMITS) =>
  `  ${name}: { model: puppet, prompt: 'You answer.', tools: [world/see], ${limits}, ${more}${ANSWER} }\n`
const flow = (name, agents, step) =>
  `flow: lab/${name}@1.0.0\nlimits: { time: 2m, total: 1d }\ninput: { kind: string? }\nagents:\n${agents}steps:\n  - desk: ${step}\noutput: { text: =desk.text }\n`
const alone = (name, more, limits) => flow(name, agent(name, more, limits), `{ agent: ${name}, with: { text: hello } }`)
const onLimit = (name, limits, more = '') =>
  flow(name, agent(name, '', limits), `{ agent: ${name}, with: { text: hello }, onLimit: { set: { text: =fault.code } }${more} }`)

/** How a run ended, and which pieces of work it was, in their order. */
const withPaths = async ({ lab, name }, input = {}) => {
  const runId = await lab.start(name, input)
  const result = brief(await lab.ended(runId))
  const journal = await lab.journal(runId)
  return {
    ...result,
    work: journal.filter(({ type }) => type.includes('step.dispatched')).map(({ data }) => data.path.replace('desk/', '')),
  }
}

const team = (name, limits, more = '') => `flow: lab/${name}@1.0.0
limits: { time: 2m, steps: 200 }
input: { question: string }
agents:
  planner: { model: puppet, prompt: You plan., ${LIMITS}, returns: { tasks: { type: list, items: { kind: documents | numbers, text: string } } } }
  reader: { model: puppet, prompt: You read., for: [documents], ${LIMITS}, returns: { fact: string } }
  counter: { model: puppet, prompt: You count., for: [numbers], ${LIMITS}, returns: { fact: string } }
  writer: { model: puppet, prompt: You write., ${LIMITS}, returns: { text: string } }
steps:
  - report:
      team: { planner: planner, workers: [reader, counter], synthesis: writer, concurrency: 2, limits: ${limits} }
      with: { question: =input.question }
      ${more}
output: { text: =report.text }
`
const asked = (question) => ({ question })
const teamWork = async ({ lab, name }, question) => {
  const { work, ...result } = await withPaths({ lab, name }, asked(question))
  const places = work.map((path) => path.replace('report/', '').replace(/\/turn\[1\]$/, ''))
  return { ...result, work: places.toSorted((left, right) => (left < right ? -1 : 1)) }
}

export const rows = [
  {
    pattern: 'agent: a turn, a call, a turn; each a step of its own',
    flow: alone('clerk'),
    expected: { status: 'completed', output: { text: 'It costs 7.' }, work: ['turn[1]', 'turn[1]/call[0]', 'turn[2]'] },
    seen: withPaths,
  },
  {
    pattern: 'agent: two calls in one turn, at the same time',
    flow: alone('pair'),
    expected: { status: 'completed', output: { text: 'Both.' }, atOnce: 2 },
    seen: async ({ lab, name }) => ({ ...brief(await lab.run(name)), atOnce: lab.world.most('pair') }),
  },
  {
    pattern: 'agent: told that this is its last turn, it answers',
    flow: alone('last', '', 'limits: { turns: 3, calls: 12, tokens: 50k, time: 1m }'),
    expected: { status: 'completed', output: { text: 'All I know.' }, turns: 3 },
    seen: async (kit) => {
      const { work, ...result } = await withPaths(kit)
      return { ...result, turns: work.filter((path) => /^turn\[\d+\]$/.test(path)).length }
    },
  },
  {
    pattern: 'agent: cap of turns, onLimit',
    flow: onLimit('clerk-capped', 'limits: { turns: 1, calls: 12, tokens: 50k, time: 1m }')
      .replaceAll('agent: clerk-capped', 'agent: clerk')
      .replace('  clerk-capped:', '  clerk:'),
    expected: { status: 'completed', output: { text: 'limit.turns_exceeded' }, degraded: ['limit.turns_exceeded'] },
  },
  {
    pattern: 'agent: cap of calls, onLimit',
    flow: onLimit('busy', 'limits: { turns: 20, calls: 3, tokens: 50k, time: 1m }'),
    expected: { status: 'completed', output: { text: 'limit.calls_exceeded' }, degraded: ['limit.calls_exceeded'] },
  },
  {
    pattern: 'agent: stopped when it makes the same call again and again',
    flow: alone('repeating'),
    expected: { status: 'failed', fault: 'agent.repeating' },
  },
  {
    pattern: 'agent: stopped when its turns come to the same',
    flow: alone('stuck'),
    expected: { status: 'failed', fault: 'agent.stuck' },
  },
  {
    pattern: 'agent: looks at its answer before it gives it',
    flow: alone('careful', "selfCheck: 'Is this so? {{ it }}', "),
    expected: { status: 'completed', output: { text: 'As it should be.' }, work: ['turn[1]', 'check[1]'] },
    seen: withPaths,
  },
  {
    pattern: 'agent: not sure enough, another takes over',
    flow: flow(
      'unsure',
      agent('unsure', 'minConfidence: 0.6, fallback: senior, ') + agent('senior'),
      '{ agent: unsure, with: { text: hello } }',
    ),
    expected: { status: 'completed', output: { text: 'I am sure.' }, degraded: ['agent.unsure'] },
  },
  {
    pattern: 'agent: not sure enough, a person takes over and sees its answer',
    flow: alone('shy', 'minConfidence: 0.6, fallback: { human: { queue: lab-shy } }, '),
    expected: { status: 'completed', output: { text: 'Ada says so.' }, degraded: ['agent.unsure'], queue: 'lab-shy' },
    seen: async ({ lab, name }) => {
      const runId = await lab.start(name)
      const { queue } = await lab.decide('lab-shy', runId, { text: 'Ada says so.', confidence: 1 })
      return { ...brief(await lab.ended(runId)), queue }
    },
  },
  {
    pattern: 'agent: hands over to another',
    flow: flow('front', agent('front', 'handoff: [expert], ') + agent('expert'), '{ agent: front, with: { text: hello } }'),
    expected: { status: 'completed', output: { text: 'From the expert.' } },
  },
  {
    pattern: 'agent: chosen by the type of task',
    flow: flow(
      'typed',
      agent('clerk', 'for: [price], ') + agent('expert', 'for: [why], '),
      '{ agent: { for: =input.kind }, with: { text: hello } }',
    ).replace('kind: string?', 'kind: price | why'),
    input: { kind: 'why' },
    expected: { status: 'completed', output: { text: 'From the expert.' } },
  },
  {
    pattern: 'team: planner, workers side by side, synthesis with what was found',
    flow: team('team', '{ rounds: 1, subtasks: 4, depth: 1, tokens: 100k, calls: 40 }'),
    expected: { status: 'completed', output: { text: 'Ada, seven times.' }, work: ['plan[1]', 'synthesis', 'task[0]', 'task[1]'] },
    seen: (kit) => teamWork(kit, 'who'),
  },
  {
    pattern: 'team: planned again until the rounds are used up',
    flow: team('rounds', '{ rounds: 2, subtasks: 4, depth: 1, tokens: 100k, calls: 40 }'),
    expected: {
      status: 'completed',
      output: { text: 'Ada, seven times.' },
      work: ['plan[1]', 'plan[2]', 'synthesis', 'task[0]', 'task[1]', 'task[2]', 'task[3]'],
    },
    seen: (kit) => teamWork(kit, 'who'),
  },
  {
    pattern: 'team: a worker that fails is named to the synthesis',
    flow: team('half', '{ rounds: 1, subtasks: 4, depth: 1, tokens: 100k, calls: 40 }'),
    input: asked('half'),
    expected: { status: 'completed', output: { text: 'Ada; the rest is missing: model.refused.' } },
  },
  {
    pattern: 'team: too many subtasks, onLimit',
    flow: team('many', '{ rounds: 1, subtasks: 1, depth: 1, tokens: 100k, calls: 40 }', 'onLimit: { set: { text: =fault.code } }'),
    input: asked('who'),
    expected: { status: 'completed', output: { text: 'limit.subtasks_exceeded' }, degraded: ['limit.subtasks_exceeded'] },
  },
  {
    pattern: 'team: too many tokens, onLimit',
    flow: team('tokens', '{ rounds: 1, subtasks: 4, depth: 1, tokens: 5, calls: 40 }', 'onLimit: { set: { text: =fault.code } }'),
    input: asked('who'),
    expected: { status: 'completed', output: { text: 'limit.tokens_exceeded' }, degraded: ['limit.tokens_exceeded'] },
  },
]
