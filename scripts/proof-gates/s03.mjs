// S3: texts are published, blocked or shown to a person. Scores of two models that were trained on seven of ten prompts of the moderation set;
// thresholds are chosen on one half of the rest, and what they do is shown on the other, through the flow as it lies in the repository.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { trainClassifier } from '../../services/models/src/classifier/train.ts'
import { classify } from '../../services/models/src/classifier/predict.ts'
import { harmModel, harmScores } from '../../libs/policy/src/guard/index.ts'
import { calibrated, fitPlatt } from '../../libs/policy/src/calibration/index.ts'
import { interval, percent } from '../bench-validation/_figures.mjs'

export const title = 'S3: moderation, thresholds chosen on one split and shown on another'
export const not = 'pictures (`npm run proof:flows -- --only s04` has them), and people: what they decide is not in the figures.'

const stateOf = (text) => {
  let state = 0x81_1c_9d_c5
  for (let at = 0; at < text.length; at++) state = Math.imul(state ^ text.charCodeAt(at), 0x01_00_01_93)
  return state >>> 8
}
const isTrained = (text) => stateOf(text) % 10 < 7
const isTuned = (text) => Math.floor(stateOf(text) / 10) % 2 === 0
/** Both models are down for these: one in fifty, by the text alone. */
const isDown = (text) => Math.floor(stateOf(text) / 20) % 50 === 0

const rowsOf = (root) =>
  gunzipSync(readFileSync(join(root, 'data', 'moderation', 'samples-1680.jsonl.gz')))
    .toString()
    .trim()
    .split('\n')
    .map((line) => {
      const { prompt, ...labels } = JSON.parse(line)
      return { text: prompt, harmful: Object.values(labels).includes(1) }
    })

const KEYWORDS = /\b(?:buy followers|free casino chips|send gift card codes)\b/i
const decide = ({ first, second, forbidden }, { block, review, clean, secondBlock }) => {
  if (forbidden) return 'blocked'
  if (first > block) return 'blocked'
  if (first > review) return 'person'
  if (first <= clean) return 'published'
  return second > secondBlock ? 'blocked' : 'person'
}

const figures = (rows, decisionOf) => {
  const counts = new Map()
  for (const row of rows) {
    const decision = decisionOf(row)
    const count = counts.get(decision) ?? { all: 0, harmful: 0 }
    counts.set(decision, { all: count.all + 1, harmful: count.harmful + (row.harmful ? 1 : 0) })
  }
  const by = (decision, harmful) => counts.get(decision)?.[harmful === true ? 'harmful' : 'all'] ?? 0
  const harmful = rows.filter((row) => row.harmful).length
  return {
    automatic: (by('blocked') + by('published')) / rows.length,
    person: by('person') / rows.length,
    failOpen: by('failOpen') / rows.length,
    // What harm a machine let out, and what a machine blocked that did none.
    recall: 1 - by('published', true) / harmful,
    precision: by('blocked', true) / Math.max(1, by('blocked')),
    blocked: by('blocked'),
    blockedRight: by('blocked', true),
    harmful,
    published: by('published', true),
  }
}

/** Thresholds within the limits of the flow's params that leave most to machines while harm and wrong blocks stay within bounds. */
const choose = (rows, { missedMax, precisionMin }) => {
  let best
  for (const block of [0.8, 0.85, 0.9, 0.95])
    for (const review of [0.5, 0.6, 0.7, 0.8, 0.9])
      for (let clean = 0.02; clean <= 0.5; clean = Math.round((clean + 0.01) * 100) / 100)
        for (const secondBlock of [0.7, 0.8, 0.9]) {
          if (review > block || clean > review) continue
          const params = { block, review, clean, secondBlock }
          const seen = figures(rows, (row) => decide(row, params))
          if (1 - seen.recall > missedMax || (seen.blocked > 0 && seen.precision < precisionMin)) continue
          if (best === undefined || seen.automatic > best.seen.automatic) best = { params, seen }
        }
  return best
}

let world

export const prepare = ({ home, upstream, root, quick, say }) => {
  const rows = rowsOf(root)
  const begun = performance.now()
  const plain = readFileSync(join(root, 'data', 'support', 'train.csv'), 'utf8')
    .split('\n')
    .slice(1)
    .filter((_line, at) => at % 40 === 0)
  const trained = rows.filter(({ text }) => isTrained(text)).map(({ text, harmful }) => ({ text, label: harmful ? 'harmful' : 'harmless' }))
  const artefact = trainClassifier([...trained, ...plain.map((line) => ({ text: line.split(',')[0], label: 'harmless' }))], {
    seed: 1,
    epochs: 12,
    buckets: 32_768,
  })
  const at = artefact.labels.indexOf('harmful')
  say(`the second moderation model was trained on ${trained.length} prompts in ${((performance.now() - begun) / 1_000).toFixed(0)} s`)
  const raw = rows
    .filter(({ text }) => !isTrained(text))
    .map((row) => ({
      ...row,
      firstRaw: Math.max(
        0,
        ...harmScores(harmModel(), row.text, () => {})
          .filter(({ category }) => category === 'harmful')
          .map(({ score }) => score),
      ),
      secondRaw: classify(artefact, row.text)[at],
    }))
  const tuned = raw.filter(({ text }) => isTuned(text))
  const fits = ['firstRaw', 'secondRaw'].map((name) => fitPlatt(tuned.map((row) => ({ score: row[name], right: row.harmful }))))
  const rounded = (value) => Math.round(value * 1e4) / 1e4
  const scored = raw.map((row, id) => ({
    ...row,
    id: `c${id}`,
    forbidden: KEYWORDS.test(row.text),
    first: rounded(calibrated(fits[0], row.firstRaw)),
    second: rounded(calibrated(fits[1], row.secondRaw)),
  }))
  const byText = new Map(scored.map((row) => [row.text.replaceAll(/\s+/g, ' ').trim(), row]))
  const scoreOf = (name) => (asked) => {
    const [, text = ''] = /Text:\n\n([\s\S]*?)\n\nWords found in its pictures:/.exec(asked) ?? []
    const row = byText.get(text.replaceAll(/\s+/g, ' ').trim())
    return row === undefined || isDown(row.text) ? { status: 503 } : { score: row[name], reason: 'by the trained model' }
  }
  upstream.serve({ 'moderation-first': scoreOf('first'), 'moderation-other': scoreOf('second') })
  home.flow('flows/s03-moderation')
  home.route('moderation', ['moderation-first'])
  home.route('moderation-second', ['moderation-other'])
  home.flow('flows/s04-images') // the tools of its step for pictures
  const held = scored.filter(({ text }) => !isTuned(text))
  world = { tuned: scored.filter(({ text }) => isTuned(text)), held: quick ? held.slice(0, 60) : held }
}

const LIMITS = [
  { name: 'careful', missedMax: 0.05, precisionMin: 0.9 },
  { name: 'chosen', missedMax: 0.1, precisionMin: 0.85 },
  { name: 'busy', missedMax: 0.25, precisionMin: 0.75 },
]

export const run = async ({ lab, say, quick }) => {
  const { tuned, held } = world
  say(
    `thresholds chosen on ${tuned.length} prompts, shown on ${held.length}; ${held.filter(({ harmful }) => harmful).length} of these harmful; the split is by a hash of the text`,
  )
  say(
    '\n| aim, on the first split | thresholds | automatic | harm that no machine published | blocked rightly | the same on the second split |\n| --- | --- | --- | --- | --- | --- |',
  )
  const options = LIMITS.map((limit) => ({ ...limit, ...choose(tuned, limit) }))
  for (const { name, params, seen, missedMax, precisionMin } of options) {
    if (params === undefined) say(`| ${name}: missed ≤ ${missedMax}, precision ≥ ${precisionMin} | none | | | | |`)
    else {
      const other = figures(held, (row) => decide(row, params))
      say(
        `| ${name}: missed ≤ ${missedMax}, precision ≥ ${precisionMin} | ${JSON.stringify(params)} | ${percent(seen.automatic)} | ${percent(seen.recall)} | ${percent(seen.precision)} | ${percent(other.automatic)}, ${percent(other.recall)}, ${percent(other.precision)} |`,
      )
    }
  }
  const { params } = options.find(({ name }) => name === 'chosen')
  await lab.cli('flows', 'publish', 'flows/s03-moderation', '--replace')
  const runs = await lab.runAll(
    'moderation/content',
    held.map(({ id, text }) => ({ id, text })),
    { params, many: 6 },
  )
  const seenOf = ({ status, result }) =>
    status === 'completed' ? (result.output.unmoderated ? 'failOpen' : result.output.verdict) : status === 'waiting' ? 'person' : status
  const seen = runs.map(seenOf)
  const expected = held.map((row) => (row.forbidden ? 'blocked' : isDown(row.text) ? 'failOpen' : decide(row, params)))
  const wrong = seen.flatMap((one, at) =>
    one === expected[at] ? [] : [`${held[at].id}: ${expected[at]} → ${one} ${runs[at].fault?.code ?? ''}`],
  )
  for (const one of wrong.slice(0, 5)) say(`differs: ${one}`)
  const result = figures(
    held.map((row, at) => ({ ...row, seen: seen[at] })),
    (row) => row.seen,
  )
  const opened = runs.filter((_run, at) => seen[at] === 'failOpen')
  const journals = await Promise.all(opened.slice(0, 10).map(({ runId }) => lab.journal(runId)))
  const logged = journals.filter((journal) =>
    ['unmoderated', 'escalation'].every((step) => journal.some(({ data }) => data.path === step)),
  ).length
  const caught = result.harmful - result.published - held.filter((row, at) => row.harmful && seen[at] === 'failOpen').length
  say(
    `\nthrough the system, second split, n ${held.length}: automatic ${percent(result.automatic)}, to a person ${percent(result.person)}, published because both models were down ${percent(result.failOpen)}`,
  )
  say(
    `harm that was not published by a machine ${percent(caught / result.harmful)} (${interval(caught, result.harmful)}), blocked rightly ${percent(result.precision)} (${interval(result.blockedRight, result.blocked)})`,
  )
  return [
    {
      what: 'what the system did is what the thresholds say, for each text',
      must: `${held.length} of ${held.length}`,
      seen: `${held.length - wrong.length} of ${held.length}`,
      ok: wrong.length === 0,
    },
    {
      what: 'both models down: published, logged and told on a topic',
      must: `${Math.min(10, opened.length)}`,
      seen: String(logged),
      ok: opened.length > 0 && logged === journals.length,
    },
    {
      what: 'harm that no machine published, second split (aim 90 % on the first)',
      must: '≥ 80 %',
      seen: percent(caught / result.harmful),
      ok: quick ? undefined : caught / result.harmful >= 0.8,
    },
    {
      what: 'blocked rightly, second split (aim 85 % on the first)',
      must: '≥ 75 %',
      seen: percent(result.precision),
      ok: quick ? undefined : result.precision >= 0.75,
    },
    {
      what: 'decided by machines; the aim of the flow is 95 %, with models that score better than these',
      must: 'told',
      seen: percent(result.automatic),
    },
  ]
}
