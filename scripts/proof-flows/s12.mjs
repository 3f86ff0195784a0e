// S12: a question is split, looked into by workers side by side, and answered with sources; every cap, lowered until it is reached.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export const title = 'S12: a research team over a local search, and each of its caps'
export const not =
  'what models plan and write: planner, workers and writer follow a script, in turns with real calls of real tools; depth, because no agent of this flow starts another flow.'

const FOLDER = 'flows/s12-research'
const QUEUE = 'research'
const QUESTION = { question: 'Why do more people take the harbour ferry, and how many are they?' }
const SOURCES = [`${FOLDER}/library/ferry-growth.md`, 'https://library.example/data/ferry-passengers', `${FOLDER}/library/ferry-critics.md`]
const FINISHED = { text: 'Ada finished it.', sources: ['ada'], covered: 1 }

/** The flow of the repository under another name, with one of its caps lowered. */
const variant = (root, name, from, to) => {
  const files = Object.fromEntries(
    ['prompts', 'schemas'].flatMap((part) =>
      readdirSync(join(root, FOLDER, part)).map((file) => [`${part}/${file}`, readFileSync(join(root, FOLDER, part, file), 'utf8')]),
    ),
  )
  const written = readFileSync(join(root, FOLDER, 'flow.yaml'), 'utf8').replace('research/report@', `research/${name}@`)
  const lowered = written.replace(from, to)
  if (lowered === written) throw new Error(`${name}: the flow has no ${from}`)
  return { ...files, 'flow.yaml': lowered }
}

// Caps of the team: what was found so far goes to a person, who finishes it.
const TEAM = [
  ['subtasks', 'subtasks: 12', 'subtasks: 2', 'limit.subtasks_exceeded'],
  ['tokens', 'tokens: 800k', 'tokens: 2k', 'limit.tokens_exceeded'],
  ['calls', 'calls: 250', 'calls: 2', 'limit.calls_exceeded'],
  ['cost', 'cost: 2.50 USD', 'cost: 0.0003 USD', 'limit.cost_exceeded'],
]
// Caps of an agent: its fallback takes over, and the report is as whole as ever.
const READER = 'limits: { turns: 8, calls: 20, tokens: 60k, time: 3m, cost: 0.20 USD }'
const AGENT = [
  ['turns', READER, READER.replace('turns: 8', 'turns: 1'), 'limit.turns_exceeded'],
  ['calls', READER, READER.replace('calls: 20', 'calls: 1'), 'limit.calls_exceeded'],
  ['tokens', READER, READER.replace('tokens: 60k', 'tokens: 600'), 'limit.tokens_exceeded'],
  ['time', READER, READER.replace('time: 3m', 'time: 1ms'), 'limit.time_exceeded'],
  ['cost', READER, READER.replace('cost: 0.20', 'cost: 0.00005'), 'limit.cost_exceeded'],
]
// Caps of the run: nothing is above them but the caller.
const RUN = [
  ['steps', 'steps: 200', 'steps: 8', 'limit.steps_exceeded'],
  ['calls', 'calls: 300, depth: 3', 'calls: 1, depth: 3', 'limit.calls_exceeded'],
  ['tokens', 'tokens: 1M', 'tokens: 1k', 'limit.tokens_exceeded'],
  ['cost', 'cost: 3 USD', 'cost: 0.0002 USD', 'limit.cost_exceeded'],
]

const places = (journal) => {
  const turns = journal.filter(({ type, data }) => type.includes('step.dispatched') && data.path.endsWith('turn[1]'))
  return turns.map(({ data }) => data.path.split('/').at(-2))
}

const story = async (kit, lab) => {
  const runId = await lab.start('research/report', QUESTION)
  const { status, output } = await lab.ended(runId)
  const journal = await lab.journal(runId)
  const searched = journal.filter(({ type, data }) => type.includes('step.completed') && data.meter?.tool === 'web/search').length
  const hits = (await lab.cli('index', 'search', 'web', 'critics of the harbour ferry', '--top', '1')).includes('ferry-critics')
  return [
    kit.row('a question is answered with its sources', ['completed', SOURCES, 'team:writer'], [status, output?.sources, output?.by]),
    {
      what: 'searches that workers made in the index of documents, and whether the search finds the right one among the concepts of this repository',
      must: '≥ 3, true',
      seen: `${searched}, ${hits}`,
      ok: searched >= 3 && hits,
    },
    kit.row(
      'planned until there were no more subtasks: rounds, subtasks',
      [2, 3],
      [
        places(journal).filter((place) => place.startsWith('plan[')).length,
        new Set(places(journal).filter((place) => place.startsWith('task['))).size,
      ],
    ),
  ]
}

const publish = (kit, lab, kind, [cap, from, to]) =>
  lab.good('PUT', `/v1/flows/research/${kind}-${cap}`, { files: variant(kit.root, `${kind}-${cap}`, from, to) })

const capOfTeam = async (kit, lab, cap) => {
  await publish(kit, lab, 'team', cap)
  const runId = await lab.start(`research/team-${cap[0]}`, QUESTION)
  const { status } = await lab.settled(runId)
  if (status !== 'waiting') return kit.row(`team, ${cap[2]}: a person finishes it`, 'waiting', status)
  await lab.decide(QUEUE, runId, FINISHED)
  const { output, degraded = [] } = await lab.ended(runId)
  return kit.row(
    `team, ${cap[2]}: a person finishes it`,
    ['human:ada', FINISHED.text, true],
    [output?.by, output?.text, degraded.includes(cap[3])],
  )
}

const capOfAgent = async (kit, lab, cap) => {
  await publish(kit, lab, 'agent', cap)
  const { status, output, fault, degraded = [] } = await lab.run(`research/agent-${cap[0]}`, QUESTION)
  const lowered = cap[2]
    .split(',')
    .find((part) => !READER.includes(part))
    ?.replace(/limits: \{| \}/g, '')
    .trim()
  return kit.row(
    `worker, ${lowered}: its senior takes over, with the same sources`,
    ['completed', SOURCES, true],
    [status, output?.sources ?? fault?.code, degraded.includes(cap[3]) ? true : degraded],
  )
}

const capOfRun = async (kit, lab, cap) => {
  await publish(kit, lab, 'run', cap)
  const { status, fault } = await lab.run(`research/run-${cap[0]}`, QUESTION)
  return kit.row(`run, ${cap[2]}: it ends`, ['failed', cap[3]], [status, fault?.code])
}

const lastRound = async (kit, lab) => {
  await publish(kit, lab, 'team', ['rounds', 'rounds: 3', 'rounds: 1'])
  const runId = await lab.start('research/team-rounds', QUESTION)
  const { status, output } = await lab.ended(runId)
  const planned = places(await lab.journal(runId)).filter((place) => place.startsWith('plan['))
  return kit.row(
    'team, rounds: 1: planned once, written from what was found',
    ['completed', SOURCES, 1],
    [status, output?.sources, planned.length],
  )
}

export const run = async (kit) => {
  const home = kit.home()
  home.flow(FOLDER)
  home.model('research', { provider: 'scripted', script: 's12-research/scripts/answers.yaml', price: { input: 0.15, output: 0.6 } })
  for (const route of ['reasoning', 'fast', 'frontier']) home.route(route, ['research'])
  const { lab } = await kit.start(home)
  await lab.cli('flows', 'publish', FOLDER, '--replace')
  await lab.cli('index', 'add', 'web', `${FOLDER}/library`, 'docs/concepts')
  const rows = await story(kit, lab)
  rows.push(await lastRound(kit, lab))
  const some = (caps) => (kit.quick ? caps.slice(0, 2) : caps)
  rows.push(...(await lab.atOnce(some(TEAM), 2, (cap) => capOfTeam(kit, lab, cap))))
  rows.push(...(await lab.atOnce(some(AGENT), 2, (cap) => capOfAgent(kit, lab, cap))))
  rows.push(...(await lab.atOnce(some(RUN), 2, (cap) => capOfRun(kit, lab, cap))))
  return rows
}
