// S2: what a machine may answer and what a person must, by the confidence of an intent. Two sets that nobody here wrote: banking77 with the
// committed weights and rows they never saw, and CLINC150 with weights trained on its own train split.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { trainClassifier } from '../../services/models/src/classifier/train.ts'
import { encodeArtefact } from '../../services/models/src/classifier/artefact.ts'
import { csvRecords } from '../../services/models/src/classifier/labelled-text.policy.ts'
import { seededRandom, shuffled } from '../../libs/policy/src/seeded-random.policy.ts'
import { reliabilityDiagram } from '../../libs/policy/src/confidence/index.ts'
import { interval, percent } from '../bench-validation/_figures.mjs'

export const title = 'S2: share decided by a machine against accuracy, at each threshold'
export const not = 'how long people take, and whether they are right: the curve says what reaches them.'

const SEED = 20_261_121
const THRESHOLDS = [0.5, 0.6, 0.7, 0.8, 0.9, 0.95]
const A_RUN = 100
/** TF-IDF of words and characters with logistic regression, at a confidence of 0.7: what must be beaten, measured on the same sets elsewhere. */
const BASELINE = { banking77: { share: 0.814, accuracy: 0.979 }, clinc150: { share: 0.828, accuracy: 0.981 } }
const PROMPT = 'prompt: "{{ text }}"'

const flowOf = (set) => `flow: proof/${set}@1.0.0
about: Classifies texts and says of each whether a machine may go on.
limits: { time: 2m, steps: 1000 }
params: { send: { type: number, default: 0.8, min: 0, max: 1 } }
input: { texts: 'string[]' }
steps:
  - rows:
      map: =input.texts
      as: text
      max: ${A_RUN}
      concurrency: 10
      each:
        - guess:
            model: ${set}
            ${PROMPT}
            with: { text: =text }
            returns: { label: string, confidence: 0..1 }
        - decided:
            switch:
              - { when: guess.confidence >= params.send, then: { set: { label: =guess.label, confidence: =guess.confidence, machine: true } } }
              - { else: { set: { label: =guess.label, confidence: =guess.confidence, machine: false } } }
output: { rows: =rows }
`

/** One text, and a person where the machine is not sure enough. */
const askingFlow = `flow: proof/asking@1.0.0
limits: { time: 1m, total: 1d, steps: 20 }
params: { send: { type: number, default: 0.8, min: 0, max: 1 } }
input: { text: string }
steps:
  - guess:
      model: banking77
      ${PROMPT}
      with: { text: =input.text }
      returns: { label: string, confidence: 0..1 }
      gate:
        - { when: it.confidence >= params.send, then: next }
        - else:
            human: { queue: intents, priority: normal, sla: 1h, title: What does this customer want? }
            with: { text: =input.text, draft: =it }
            returns: { label: string }
output: { label: =guess.label, by: =guess.by }
`

const sets = {}

export const prepare = async ({ home, root, data, quick, say }) => {
  const held = csvRecords(readFileSync(join(root, 'data', 'support', 'held-back.csv'), 'utf8'))
  sets.banking77 = {
    rows: shuffled(held, seededRandom(SEED)).slice(0, quick ? 200 : held.length),
    outside: 'unknown',
  }
  home.flow('flows/support')
  home.model('banking77', { provider: 'classifier', weights: 'support/models/intent.bin.gz', sensitiveFrom: 1 })
  if (data !== undefined && !quick) {
    const all = JSON.parse(readFileSync(join(data, 'clinc150', 'train_val.json'), 'utf8'))
    const rowsOf = (name) => (all[name] ?? []).map(([text, label]) => ({ text, label }))
    const begun = performance.now()
    const artefact = trainClassifier([...rowsOf('train'), ...rowsOf('oos_train')], { seed: 1, epochs: 8, buckets: 32_768 })
    say(`trained on CLINC150's train and oos_train in ${((performance.now() - begun) / 1_000).toFixed(0)} s`)
    home.file('clinc/intent.bin.gz', encodeArtefact(artefact))
    home.model('clinc150', { provider: 'classifier', weights: 'clinc/intent.bin.gz', sensitiveFrom: 1 })
    sets.clinc150 = { rows: [...rowsOf('val'), ...rowsOf('oos_val')], outside: 'oos' }
  } else say('CLINC150 is left out (it is trained on data of BATON_SHARED, not with --quick)')
}

const chunks = (rows) => Array.from({ length: Math.ceil(rows.length / A_RUN) }, (_, at) => rows.slice(at * A_RUN, (at + 1) * A_RUN))

const curveOf = async ({ lab, say }, set, { rows, outside }) => {
  await lab.publish(flowOf(set))
  const runs = await lab.runAll(
    `proof/${set}`,
    chunks(rows).map((chunk) => ({ texts: chunk.map(({ text }) => text) })),
    { params: { send: 0.8 }, many: 2 },
  )
  const given = runs.flatMap(({ result }) => result?.output?.rows ?? [])
  const judged = given.map((row, at) => ({ ...row, right: row.label === rows[at].label, isOutside: rows[at].label === outside }))
  const inside = judged.filter(({ isOutside }) => !isOutside)
  const strange = judged.filter(({ isOutside }) => isOutside)
  say(
    `${set}: ${inside.length} questions and ${strange.length} out of scope, seed ${SEED}; right ${percent(inside.filter(({ right }) => right).length / inside.length)}`,
  )
  say('\n| threshold | decided by a machine | of these right (95 %) | out of scope that goes to a person |\n| --- | --- | --- | --- |')
  const points = THRESHOLDS.map((threshold) => {
    const kept = inside.filter(({ confidence }) => confidence >= threshold)
    const right = kept.filter((row) => row.right).length
    const caught = strange.filter(({ confidence, label }) => confidence < threshold || label === outside).length
    say(
      `| ${threshold} | ${percent(kept.length / inside.length)} | ${percent(right / kept.length)} (${interval(right, kept.length)}) | ${percent(caught / strange.length)} |`,
    )
    return { threshold, share: kept.length / inside.length, accuracy: right / kept.length }
  })
  say('')
  for (const line of reliabilityDiagram(inside)) say(`    ${line}`)
  say('')
  const surest = inside
    .toSorted((left, right) => right.confidence - left.confidence)
    .slice(0, Math.round(BASELINE[set].share * inside.length))
  const right = surest.filter((row) => row.right).length
  const gate = judged.filter(({ machine, confidence }) => machine !== confidence >= 0.8).length
  return [
    { what: `${set}: every text has a verdict`, must: String(rows.length), seen: String(given.length), ok: given.length === rows.length },
    { what: `${set}: the gate at 0.8 and the confidence differ`, must: '0', seen: String(gate), ok: gate === 0 },
    {
      what: `${set}: right among the surest ${percent(BASELINE[set].share)}, against the baseline without a GPU (other split: within the interval)`,
      must: `≥ ${percent(BASELINE[set].accuracy)}`,
      seen: `${percent(right / surest.length)} (${interval(right, surest.length)})`,
      ok: Number(interval(right, surest.length).split('–')[1]) >= 100 * BASELINE[set].accuracy,
    },
    {
      what: `${set}: accuracy rises with the threshold`,
      must: '0.9 above 0.5',
      seen: `${percent(points[0].accuracy)} → ${percent(points[4].accuracy)}`,
      ok: points[4].accuracy > points[0].accuracy,
    },
  ]
}

/** The same gate with people behind it: exactly what is below the threshold waits for one. */
const askingRows = async ({ lab, quick }) => {
  await lab.publish(askingFlow)
  const rows = sets.banking77.rows.slice(0, quick ? 30 : 120)
  const runs = await lab.runAll(
    'proof/asking',
    rows.map(({ text }) => ({ text })),
  )
  const waiting = runs.filter(({ result }) => result === undefined)
  const items = await lab.tasks('intents')
  const mine = new Set(runs.map(({ runId }) => runId))
  const asked = items.filter(({ runId }) => mine.has(runId)).length
  for (const { runId } of waiting.slice(0, 5)) await lab.decide('intents', runId, { label: 'said by a person' })
  const ended = await Promise.all(waiting.slice(0, 5).map(({ runId }) => lab.ended(runId)))
  const bySomebody = ended.filter(({ output }) => output?.label === 'said by a person' && output.by.startsWith('human:')).length
  return [
    {
      what: `of ${rows.length} questions, those below 0.8 wait for a person, and each has one task`,
      must: `${waiting.length} tasks`,
      seen: `${asked} tasks, ${runs.length - waiting.length} decided by a machine`,
      ok: asked === waiting.length && waiting.length > 0,
    },
    { what: 'what a person says goes on', must: `${ended.length}`, seen: `${bySomebody}`, ok: bySomebody === ended.length },
  ]
}

export const run = async (context) => {
  const rows = []
  for (const [set, spec] of Object.entries(sets)) rows.push(...(await curveOf(context, set, spec)))
  return [...rows, ...(await askingRows(context))]
}
