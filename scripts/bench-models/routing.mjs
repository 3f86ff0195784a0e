// Learned routing before an answer: which questions need the strong model (RouteLLM's outcomes of Mixtral-8x7B and GPT-4, dev rows).
// Not measured: other pairs of models, other kinds of questions; a router knows only the traffic it was trained on.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { built, interval, order, readCsv, shown, sklearn, spread } from './_data.mjs'

const { apgr, apgrDifference, callsFor, lengthApgr, oracleApgr, promptFeatures, routerScore, trainRouter } =
  await built('libs/policy/dist/router/index.js')
const { mean } = await built('libs/policy/dist/statistics/index.js')

export const name = 'routing: the learned router'

const WEAK = 'mistralai/Mixtral-8x7B-Instruct-v0.1'
const STRONG = 'gpt-4-1106-preview'

const tableOf = (shared, set) => {
  const seen = new Set()
  return readCsv(join(shared, 'data', 'routellm', `${set}_dev.csv.gz`))
    .filter(({ prompt }) => !seen.has(prompt) && seen.add(prompt))
    .map((row) => ({ prompt: row.prompt, ok: { weak: row[WEAK] === 'True', strong: row[STRONG] === 'True' } }))
}
const duel = ({ prompt, ok }, score) => ({ prompt, score, weakRight: ok.weak, strongRight: ok.strong })
const pick = (rows, places) => places.map((place) => rows[place])

/** Scores of Baton for the test places of a split. */
const scoresOf = (rows, { train, test }) => {
  const { model } = trainRouter(pick(rows, train))
  return pick(rows, test).map(({ prompt }) => {
    const { weak, strong } = routerScore(model, promptFeatures(prompt))
    return strong - weak
  })
}

/** Scores of scikit-learn's logistic regression with the same hand-made features, for all splits. */
const neighbour = (rows, splits) =>
  sklearn({
    kind: 'heads',
    texts: rows.map(({ prompt }) => prompt),
    hand: rows.map(({ prompt }) => Object.values(promptFeatures(prompt).hand)),
    labels: { weak: rows.map(({ ok }) => Number(ok.weak)), strong: rows.map(({ ok }) => Number(ok.strong)) },
    splits,
  })

/** Runs of one way to score: the duels of every run and the places of their questions. */
const runsOf = (rows, groups, scores) => {
  let split = 0
  return groups.map((splits) => {
    const places = []
    const duels = []
    for (const { test } of splits) {
      const own = scores[split++]
      test.forEach((place, at) => {
        places.push(place)
        duels.push(duel(rows[place], own[at]))
      })
    }
    return { questions: places, duels }
  })
}

const pairs = (left, right) => left.map(({ questions, duels }, at) => ({ questions, left: duels, right: right[at].duels }))

/** Rows of the table for one set. `groups`: splits by run. `goal`, `published`: figures of the issue. `mustBeat`: it asks to be above length for certain. */
const compare = async (rows, groups, { label, goal, published, mustBeat, progress }) => {
  const splits = groups.flat()
  const asked = neighbour(rows, splits) // in a process of its own, meanwhile
  const scores = splits.map((split, at) => {
    progress(`${label}: split ${at + 1} of ${splits.length}`)
    return scoresOf(rows, split)
  })
  const ours = runsOf(rows, groups, scores)
  const length = ours.map(({ questions, duels }) => ({
    questions,
    duels: duels.map((one) => ({ ...one, score: one.prompt.length })),
  }))
  progress(`${label}: scikit-learn`)
  const { result, skipped } = await asked
  const theirs =
    result &&
    runsOf(
      rows,
      groups,
      result.map(({ weak, strong }) => strong.map((one, at) => one - weak[at])),
    )
  const values = ours.map(({ duels }) => apgr(duels))
  const above = apgrDifference(pairs(ours, length), rows.length)
  const beside = theirs && apgrDifference(pairs(ours, theirs), rows.length)
  const all = rows.map((row) => duel(row, 0))
  return [
    { what: `${label}: APGR`, must: `goal ${goal}`, seen: spread(values), note: `${groups.length} runs, seeds 1-${groups.length}` },
    {
      what: `${label}: share of strong calls for 50 % / 80 % of the gain`,
      seen: `${shown(100 * mean(ours.map(({ duels }) => callsFor(duels, 0.5))), 1)} % / ${shown(100 * mean(ours.map(({ duels }) => callsFor(duels, 0.8))), 1)} %`,
    },
    {
      what: `${label}: APGR above length alone`,
      ...(mustBeat ? { must: '> 0, interval without 0', ok: above.low > 0 } : {}),
      seen: interval(above),
      note: `length ${spread(length.map(({ duels }) => lengthApgr(duels)))}, oracle ${shown(oracleApgr(all))}; questions drawn 500 times, the same for both`,
    },
    theirs
      ? {
          what: `${label}: APGR beside scikit-learn`,
          must: `>= ${shown(mean(theirs.map(({ duels }) => apgr(duels))))}`,
          seen: shown(mean(values)),
          ok: mean(values) >= mean(theirs.map(({ duels }) => apgr(duels))),
          note: `same splits and hand-made features, C = 1; difference ${interval(beside)}`,
        }
      : {
          what: `${label}: APGR beside scikit-learn (as published)`,
          must: `>= ${published}`,
          seen: shown(mean(values)),
          ok: mean(values) >= published,
          note: skipped,
        },
  ]
}

const LABELS = 1_500
const FOLDS = 5

/** CPU microseconds of one decision. */
const speed = (rows) => {
  const { model } = trainRouter(rows.slice(0, 400))
  const some = rows.slice(0, 2_000)
  for (const { prompt } of some) routerScore(model, promptFeatures(prompt))
  const before = process.cpuUsage()
  for (const { prompt } of some) routerScore(model, promptFeatures(prompt))
  const { user, system } = process.cpuUsage(before)
  return (user + system) / some.length
}

export const run = async ({ quick, shared, progress }) => {
  if (shared === undefined || !existsSync(join(shared, 'data', 'routellm'))) {
    return [{ what: 'routing', seen: 'skipped', note: 'BATON_SHARED has no data/routellm' }]
  }
  const mmlu = tableOf(shared, 'mmlu')
  const seeds = quick ? 4 : 6
  const splits = Array.from({ length: seeds }, (_, at) => {
    const places = order(mmlu.length, at + 1)
    return [{ train: places.slice(0, LABELS), test: places.slice(LABELS) }]
  })
  const gsm = tableOf(shared, 'gsm8k')
  const repeats = quick ? 2 : 20
  const folds = Array.from({ length: repeats }, (_, at) => {
    const places = order(gsm.length, at + 1)
    return Array.from({ length: FOLDS }, (_fold, fold) => ({
      train: places.filter((_place, index) => index % FOLDS !== fold),
      test: places.filter((_place, index) => index % FOLDS === fold),
    }))
  })
  return [
    ...(await compare(mmlu, splits, {
      label: `MMLU, ${LABELS} labels, ${mmlu.length - LABELS} tested`,
      goal: 0.59,
      published: 0.566,
      mustBeat: true,
      progress,
    })),
    ...(await compare(gsm, folds, { label: `GSM8K, 5-fold, ${gsm.length} rows`, goal: 0.63, published: 0.614, mustBeat: false, progress })),
    {
      what: 'CPU time of a decision on MMLU questions, 517 characters on average',
      must: 'about 0.2 ms',
      seen: `${(speed(mmlu) / 1_000).toFixed(2)} ms`,
      note: 'features and two heads, one process',
    },
  ]
}
