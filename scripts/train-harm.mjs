// `node scripts/train-harm.mjs`: how well the committed model of harm does on rows it never saw. With `--write` it is trained again first.
// Needs the build of libs/policy (`tsc -b libs/policy`).
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'

const root = join(import.meta.dirname, '..')
const { HARM_CATEGORIES, harmScores, packHarm, trainHarm, unpackHarm, findHarmWords } = await import(
  join(root, 'libs', 'policy', 'dist', 'guard', 'index.js')
)

const LABELS = {
  S: 'sexual',
  H: 'hate',
  V: 'violence',
  HR: 'harassment',
  SH: 'self_harm',
  S3: 'sexual_minors',
  H2: 'hate_threatening',
  V2: 'violence_graphic',
}

/** Seven of ten rows train; which ones depends on nothing but the prompt. */
const isTrained = (text) => {
  let state = 0x81_1c_9d_c5
  for (let at = 0; at < text.length; at++) state = Math.imul(state ^ text.charCodeAt(at), 0x01_00_01_93)
  return (state >>> 8) % 10 < 7
}

const rows = gunzipSync(readFileSync(join(root, 'data', 'moderation', 'samples-1680.jsonl.gz')))
  .toString()
  .trim()
  .split('\n')
  .map((line) => {
    const { prompt, ...given } = JSON.parse(line)
    const labels = Object.fromEntries(Object.entries(given).map(([key, value]) => [LABELS[key], value === 1]))
    return { text: prompt, labels: { ...labels, harmful: Object.values(labels).includes(true) } }
  })
const held = rows.filter(({ text }) => !isTrained(text))

/** Questions of customers, which harm nobody: a model of prompts alone takes every plain sentence for a mild threat. */
const questionsOf = (file) =>
  readFileSync(join(root, 'data', 'support', file), 'utf8')
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => line.replace(/,[^,]*,[^,]*$/, '').replaceAll(/^"|"$/g, ''))
const harmless = Object.fromEntries(HARM_CATEGORIES.map((category) => [category, false]))

if (process.argv.includes('--write')) {
  const plain = questionsOf('train.csv')
    .filter((_text, at) => at % 12 === 0)
    .map((text) => ({ text, labels: harmless }))
  const packed = packHarm(trainHarm([...rows.filter(({ text }) => isTrained(text)), ...plain], HARM_CATEGORIES))
  const head =
    '// Written by `node scripts/train-harm.mjs --write` from data/moderation and data/support; see data/README.md for their licences.\n'
  const file = join(root, 'libs', 'policy', 'src', 'guard', 'harm', 'harm-model.data.ts')
  writeFileSync(file, `${head}\n/** The model, in base64. */\nexport const HARM_MODEL =\n  '${packed}'\n`)
  console.log(`wrote ${(packed.length / 1024).toFixed(0)} KiB`)
}

const source = readFileSync(join(root, 'libs', 'policy', 'src', 'guard', 'harm', 'harm-model.data.ts'), 'utf8')
const model = unpackHarm(/'([^']+)'\s*$/.exec(source)?.[1] ?? '')

const averagePrecision = (scored) => {
  const ordered = scored.toSorted((left, right) => right.score - left.score)
  const positives = ordered.filter(({ truth }) => truth).length
  let found = 0
  let sum = 0
  ordered.forEach(({ truth }, at) => {
    if (truth) sum += ++found / (at + 1)
  })
  return positives === 0 ? Number.NaN : sum / positives
}

const scored = held.map(({ text, labels }) => ({
  labels,
  scores: Object.fromEntries(harmScores(model, text).map(({ category, score }) => [category, score])),
  words: findHarmWords(text.toLowerCase()),
}))
const table = HARM_CATEGORIES.map((category) => {
  const known = scored
    .filter(({ labels }) => labels[category] !== undefined)
    .map(({ labels, scores }) => ({ truth: labels[category], score: scores[category] }))
  const over = known.filter(({ score }) => score > 0.5)
  const right = over.filter(({ truth }) => truth).length
  const positives = known.filter(({ truth }) => truth).length
  return {
    category,
    rows: known.length,
    positives,
    recall: (right / positives).toFixed(3),
    precision: (right / over.length).toFixed(3),
    'average precision': averagePrecision(known).toFixed(3),
  }
})
console.log(`rows never trained on: ${held.length} of ${rows.length}; model alone, above 0.5`)
console.table(table)

const curve = [0.3, 0.4, 0.5, 0.6, 0.7, 0.8].map((max) => {
  const flagged = scored.filter(({ scores, words }) => Math.max(0, ...Object.values(scores), ...words.map(({ score }) => score)) > max)
  const right = flagged.filter(({ labels }) => labels.harmful).length
  const positives = scored.filter(({ labels }) => labels.harmful).length
  const plain = questionsOf('held-back.csv').filter(
    (text) =>
      Math.max(...harmScores(model, text).map(({ score }) => score), ...findHarmWords(text.toLowerCase()).map(({ score }) => score)) > max,
  )
  return {
    max,
    recall: (right / positives).toFixed(3),
    precision: (right / flagged.length).toFixed(3),
    'customer questions flagged': `${plain.length} of ${questionsOf('held-back.csv').length}`,
  }
})
console.log('the check toxicity as it is (words and model, any category), by its option max')
console.table(curve)
