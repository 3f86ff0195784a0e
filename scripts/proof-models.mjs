// `npm run proof:models`: models are exchanged without touching a flow, seen from outside: one process of `baton up`, its HTTP and its command
// line. S14 on the rig of recorded answers and on SmolLM2 in the process; the two-line chain with every kind of provider; S1 while its strong
// model fails, is left alone, and is tried again; a cascade that ends at a person; a budget with its forecast.
//   `--quick` leaves SmolLM2 out. `BATON_MODELS_DIR` (else .baton/models) has the weights and node-llama-cpp: `baton models pull smollm2`.
//   Not measured: what real providers answer; how good SmolLM2's answers are.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openHome, startSystem } from './proof-gates/home.mjs'
import { startRigProcess } from './bench-models/_service.mjs'

const root = join(import.meta.dirname, '..')
const say = (text) => process.stdout.write(`${text}\n`)
if (process.argv.includes('--help')) {
  say('npm run proof:models -- [--quick]   see the head of scripts/proof-models.mjs')
  process.exit(0)
}
const quick = process.argv.includes('--quick')

const TEXT = 'The cat sat on the mat. It was red. The dog came at noon and left again.'
const CHAIN = {
  facts: 'a red cat, a dog at noon',
  summary: 'A red cat sat; a dog came and went.',
  translation: 'Eine rote Katze saß; ein Hund kam und ging.',
}
const PROMPTS = [
  [`Extract the facts from ${TEXT}`, CHAIN.facts],
  [`Summarise these facts in three sentences. ${CHAIN.facts}`, CHAIN.summary],
  [`Translate this into German. ${CHAIN.summary}`, CHAIN.translation],
]
/** The two-line chain: a prompt a line. */
const TWO_LINES = `flow: proof/two@1.0.0
input: { text: string }
steps:
  - facts: Extract the facts from {{ input.text }}
  - summary: Summarise these facts in three sentences. {{ facts }}
`
/** S14 as it is committed: it has no name, which a flow needs to be published. */
const S14 = `flow: proof/s14@1.0.0\n${readFileSync(join(root, 'flows', 's14-chain', 'flow.yaml'), 'utf8')}`
const ASKED = '[recording charged] I was charged twice for one payment. Can I have my money back?'
const SORTED = JSON.stringify({ intent: 'refund', confidence: 0.93, sensitive: false })
const written = (by) => JSON.stringify({ text: `The second charge goes back within three days, says ${by}.`, sources: [], score: 0.9 })
const UNSURE = `flow: proof/unsure@1.0.0
limits: { time: 1m, total: 1d, steps: 10 }
input: { text: string }
steps:
  - sort:
      model: unsure
      prompt: 'What does this customer want? {{ text }}'
      with: { text: =input.text }
      returns: { intent: refund | other, confidence: 0..1 }
output: { intent: =sort.intent, by: =sort.by }
`
const recording = (model, id, text, asked) => ({ model, id, text, latencyMs: 5, ...(asked === undefined ? {} : { asked }) })
const recordings = [
  ...['chat', 'messages'].flatMap((model) => PROMPTS.map(([asked, text], at) => recording(model, `${model}-${at}`, text, asked))),
  ...['big', 'small'].flatMap((size) => [
    recording(`${size}-sort`, 'charged', SORTED),
    recording(`${size}-write`, 'charged', written(size)),
  ]),
  ...[0.4, 0.6].map((confidence, at) =>
    recording(`unsure-${at + 1}`, 'charged', JSON.stringify({ intent: at === 0 ? 'other' : 'refund', confidence })),
  ),
]

const modelsDir = process.env['BATON_MODELS_DIR'] ?? join(root, '.baton', 'models')
const WEIGHTS = 'SmolLM2-135M-Instruct.Q4_1.gguf'
const noSmol = () => {
  if (quick) return '--quick'
  if (!existsSync(join(modelsDir, WEIGHTS))) return `no weights in ${modelsDir}: baton models pull smollm2`
  const engine = [join(root, 'node_modules'), join(modelsDir, 'node_modules')].some((dir) => existsSync(join(dir, 'node-llama-cpp')))
  return engine ? undefined : `no node-llama-cpp in ${modelsDir}`
}

const price = { input: 1, output: 2 }
/** The catalogue; the route `default` is what the rows exchange. */
const catalogue = (rig, first) => ({
  servers: {
    chat: { speaks: 'openai', url: rig.openAiUrl, limits: { requestsPerMinute: 60_000 } },
    messages: { speaks: 'anthropic', url: rig.anthropicUrl, keyFrom: 'RIG_API_KEY' },
    doubtful: { speaks: 'openai', url: rig.openAiUrl },
    steady: { speaks: 'openai', url: rig.openAiUrl },
  },
  models: {
    'over-chat': { provider: 'openai', server: 'chat', model: 'chat', price },
    'over-messages': { provider: 'anthropic', server: 'messages', model: 'messages', price },
    recorded: { provider: 'recorded', recordings: 'recorded.jsonl', price },
    scripted: { provider: 'scripted', script: 'script.yaml', price },
    smollm2: { provider: 'local', weights: WEIGHTS },
    'big-sort': { provider: 'openai', server: 'doubtful', model: 'big-sort', price },
    'big-write': { provider: 'openai', server: 'doubtful', model: 'big-write', price },
    'small-sort': { provider: 'openai', server: 'steady', model: 'small-sort', price },
    'small-write': { provider: 'openai', server: 'steady', model: 'small-write', price },
    'unsure-1': { provider: 'openai', server: 'steady', model: 'unsure-1', price },
    'unsure-2': { provider: 'openai', server: 'steady', model: 'unsure-2', price },
    extractive: { provider: 'extractive', quotesMax: 3, scoreMin: 0.2 },
  },
  routes: {
    default: [first],
    strong: ['big-sort', 'small-sort'],
    'answer-large': ['big-write', 'small-write'],
    unsure: {
      cascade: [
        { use: 'unsure-1', accept: { confidence: 0.8 } },
        { use: 'unsure-2', accept: { confidence: 0.8 } },
        { person: { queue: 'unsure', priority: 'high', sla: '1h' } },
      ],
    },
  },
})

const rows = []
const note = (what, must, seen, ok) => {
  rows.push({ what, must, seen, ok })
  say(`${ok === undefined ? 'SKIP' : ok ? 'PASS' : 'FAIL'}  ${what}: ${seen}`)
}
const askedOf = (events) => events.filter(({ type }) => type.endsWith('model.routed.v1') || type === 'model.routed').map(({ data }) => data)

/** Exchanges the route `default` through the command line, as an engineer would. */
const useFirst = async ({ lab, home, rig }, name) => {
  const file = join(home.folder, 'next-models.yaml')
  writeFileSync(file, JSON.stringify(catalogue(rig, name)))
  await lab.cli('models', 'apply', file)
  await lab.until(`the route default to be ${name}`, async () => {
    const { steps } = await lab.good('POST', '/v1/routes:explain', { models: ['default'], text: 'x' })
    return steps[0]?.model === name
  })
}

const madeBy = async (lab, runId) =>
  [...JSON.stringify(await lab.trace(runId)).matchAll(/"model:([\w-]+)"/g)]
    .map(([, name]) => name)
    .filter((name, at, all) => all.indexOf(name) === at)

/** The run, once it has ended. */
const over = async (lab, runId) => {
  const run = await lab.show(runId)
  return ['completed', 'failed', 'cancelled'].includes(run.status) ? run : undefined
}

const chains = async (context) => {
  const { lab } = context
  await lab.publish(TWO_LINES)
  await lab.publish(S14)
  for (const name of ['over-chat', 'over-messages', 'recorded', 'scripted']) {
    await useFirst(context, name)
    const run = await lab.run('proof/two', { text: TEXT })
    note(`the two-line chain, provider ${name}`, CHAIN.summary, String(run.output), run.output === CHAIN.summary)
  }
  for (const name of ['over-chat', 'over-messages']) {
    await useFirst(context, name)
    const run = await lab.run('proof/s14', { text: TEXT })
    const by = await madeBy(lab, run.runId)
    note(`S14 on the rig, ${name}`, CHAIN.translation, `${run.output} (by ${by.join(', ')})`, run.output === CHAIN.translation)
  }
  const reason = noSmol()
  if (reason !== undefined) return note('S14 and the two-line chain on SmolLM2', 'a text', `skipped: ${reason}`, undefined)
  await useFirst(context, 'smollm2')
  for (const flow of ['proof/two', 'proof/s14']) {
    const started = performance.now()
    const runId = await lab.start(flow, { text: TEXT })
    const { result: run = {} } = await lab.until(`${flow} on SmolLM2`, () => over(lab, runId), { timeoutMs: 400_000, everyMs: 500 })
    const seconds = ((performance.now() - started) / 1_000).toFixed(1)
    const text = typeof run.output === 'string' ? run.output : ''
    const seen = `${seconds} s, ${text === '' ? JSON.stringify(run.fault ?? run.status) : JSON.stringify(text.slice(0, 80))}`
    note(`${flow} on SmolLM2`, 'a text, without key and network', seen, run.status === 'completed' && text.length > 0)
  }
}

const DOWN = [
  { fault: { kind: 'status', status: 503 }, model: 'big-sort' },
  { fault: { kind: 'status', status: 503 }, model: 'big-write' },
]
const outputOf = ({ output, fault }) => JSON.stringify(output ?? fault?.code).slice(0, 110)

const failover = async ({ lab, rig }) => {
  await lab.cli('index', 'add', 'help', join(root, 'data', 'support', 'documents.jsonl.gz'))
  const ask = () => lab.run('support/customer-support', { text: ASKED })
  const well = await ask()
  const first = await madeBy(lab, well.runId)
  note(
    'S1 while the strong models are well',
    'by big-sort and big-write',
    first.join(', '),
    first.includes('big-sort') && first.includes('big-write'),
  )
  await rig.setFaults(DOWN)
  const down = []
  for (let count = 0; count < 6; count++) down.push(await ask())
  const by = await Promise.all(down.map(({ runId }) => madeBy(lab, runId)))
  const small = by.filter((names) => names.includes('small-sort') && names.includes('small-write')).length
  note(
    'S1 while the strong provider answers 503, six runs',
    'all complete, by the small models',
    `${down.filter(({ status }) => status === 'completed').length} complete, ${small} by the small ones: ${outputOf(down[0])}`,
    small === 6 && down.every(({ status }) => status === 'completed'),
  )
  const told = askedOf(await lab.journal(down[0].runId))
  const calls = told.flatMap(({ calls: made }) => made.map(({ model, outcome, code }) => `${model} ${code ?? outcome}`))
  note(
    'why, in the journal of the first',
    'both calls of each step',
    calls.join('; '),
    calls.some((one) => one.startsWith('big-sort model.')) && calls.includes('small-sort answered'),
  )
  const { breakers } = JSON.parse(await lab.cli('models', 'health', '--json'))
  const server = breakers.find(({ name }) => name === 'server:doubtful')
  note(
    '`baton models health`',
    'server:doubtful left alone',
    `${server?.state}, for ${server?.restsMs} ms`,
    server !== undefined && server.state !== 'closed',
  )
  await rig.setFaults([])
  const retried = (await lab.cli('models', 'retry', '--all')).trim()
  const after = await ask()
  const again = await madeBy(lab, after.runId)
  note(
    '`baton models retry --all` once it is mended',
    'the strong model answers again',
    `${retried}; ${again.join(', ')}`,
    again.includes('big-sort'),
  )
}

const person = async ({ lab }) => {
  await lab.publish(UNSURE)
  const { runId } = await lab.good('POST', '/v1/runs', { flow: 'proof/unsure', input: { text: ASKED } })
  const task = await lab.until('the task', async () =>
    (await lab.good('GET', '/v1/reviews?queue=unsure')).items.find((item) => item.runId === runId),
  )
  const { input } = await lab.good('GET', `/v1/reviews/${task.taskId}`)
  await lab.good('POST', `/v1/reviews/${task.taskId}:decide`, { by: 'ada', verdict: 'approve' })
  const run = await lab.reaches(runId, 'completed', 'failed')
  const seen = `draft ${JSON.stringify(input?.draft)}, then ${JSON.stringify(run.result?.output)}`
  note(
    'a cascade that nobody is sure enough in',
    'ends at a person with the last answer as draft',
    seen,
    input?.draft?.intent === 'refund' && run.result?.output?.intent === 'refund',
  )
}

const money = async ({ lab }) => {
  const [budget] = JSON.parse(await lab.cli('budgets', 'list', '--json'))
  const shown = budget === undefined ? 'none' : `${budget.key}: ${budget.spent} of ${budget.cap} micro-dollars, ${budget.standing}`
  note('`baton budgets list`', 'what was spent', shown, budget !== undefined && budget.spent > 0)
  await lab.cli('budgets', 'forgive', budget.key)
  const [after] = JSON.parse(await lab.cli('budgets', 'list', '--json'))
  note('`baton budgets forgive`', 'less than before', `${after.spent} micro-dollars`, after.spent < budget.spent)
}

const rig = await startRigProcess({ recordings })
const home = openHome(root, 'models-')
let system
try {
  home.flow('flows/support')
  home.file('recorded.jsonl', PROMPTS.map(([question, text]) => JSON.stringify({ question, text })).join('\n'))
  home.file('script.yaml', JSON.stringify({ answers: PROMPTS.map(([asked, text]) => ({ when: { contains: asked }, text })) }))
  const { servers, models, routes } = catalogue(rig, 'over-chat')
  for (const [name, spec] of Object.entries(models)) home.model(name, spec)
  for (const [name, spec] of Object.entries(routes)) home.route(name, spec)
  home.config('limits.yaml', JSON.stringify({ budgets: [{ of: 'tenant', per: 'day', usd: 1 }] }))
  for (const [name, spec] of Object.entries(servers)) home.server(name, spec)
  system = await startSystem({
    home,
    quiet: !process.argv.includes('--verbose'),
    env: { RIG_API_KEY: 'sk-rig-000000', BATON_MODELS_DIR: modelsDir },
  })
  const context = { lab: system.lab, home, rig }
  for (const part of [chains, failover, person, money]) {
    try {
      await part(context)
    } catch (error) {
      note(part.name, 'runs', String(error instanceof Error ? error.message : error).slice(0, 300), false)
    }
  }
} finally {
  await system?.stop()
  await rig.close()
  home.remove()
}
say('\n| what | must | seen | |\n| --- | --- | --- | --- |')
for (const { what, must, seen, ok } of rows)
  say(`| ${what} | ${must} | ${seen} | ${ok === undefined ? 'SKIP' : ok ? 'PASS' : '**FAIL**'} |`)
const failed = rows.filter(({ ok }) => ok === false).length
say(failed === 0 ? '\nall as it must be' : `\n${failed} not as they must be`)
process.exit(failed === 0 ? 0 : 1)
