// Fits the weights of the relevance score (services/tools/src/retrieval/relevance.policy.ts) and prints them. Needs the build, BATON_SHARED
// and MiniLM (BATON_MODELS_DIR). Logistic regression on the reasons of the best passage of each question; 2,000 steps, no randomness.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { areaOf, calibrationErrorOf, questionsOf } from './bench-tools/_relevance.mjs'

const root = join(import.meta.dirname, '..')
const shared = process.env.BATON_SHARED
const modelsDir = process.env.BATON_MODELS_DIR ?? join(root, '.baton', 'models')
if (shared === undefined) {
  console.log('skipped: BATON_SHARED is not set')
  process.exit(0)
}
const { openPglite, migrate } = await import(join(root, 'libs/store/dist/index.js'))
const { migrations } = await import(join(root, 'services/tools/dist/migrations/migrations.js'))
const { searchIndexes } = await import(join(root, 'services/tools/dist/retrieval/search-index.repository.js'))
const { localEmbedders } = await import(join(root, 'services/models/dist/embeddings/local-embedder.adapter.js'))
const { keeping } = await import('./bench-tools/_embeddings.mjs')

const embedder = keeping(await localEmbedders(modelsDir)('minilm'), join(root, '.cache', 'bench', 'minilm-vectors.json'))
const db = await openPglite()
await migrate(db, { scope: 'tools', migrations })
const indexes = searchIndexes(db, { embedders: async () => embedder })
const documents = gunzipSync(readFileSync(join(root, 'data', 'support', 'documents.jsonl.gz')))
  .toString()
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line))
  .map(({ id, title, content }) => ({ id, title, text: content }))
await indexes.add({ tenant: 'default', index: 'policies', documents, embed: 'minilm' })

const rows = []
for (const question of questionsOf(shared, 25)) {
  const reasons = await indexes.reasons({ tenant: 'default', index: 'policies', query: question.text, top: 5 })
  const best = reasons.toSorted((left, right) => right.cosine - left.cosine)[0] ?? { share: 0, cosine: 0 }
  rows.push({ ...question, ...best })
}
embedder.save()
await db.close()

const weights = { bias: 0, share: 0, cosine: 0 }
const fit = rows.filter(({ half }) => half === 'fit')
const scoreOf = ({ share, cosine }) => 1 / (1 + Math.exp(-(weights.bias + weights.share * share + weights.cosine * cosine)))
for (let step = 0; step < 20_000; step++) {
  const slope = { bias: 0, share: 0, cosine: 0 }
  for (const row of fit) {
    const off = scoreOf(row) - (row.about ? 1 : 0)
    slope.bias += off
    slope.share += off * row.share
    slope.cosine += off * row.cosine
  }
  // Both reasons speak for a passage, never against it.
  weights.bias -= (4 * slope.bias) / fit.length
  weights.share = Math.max(0, weights.share - (4 * slope.share) / fit.length)
  weights.cosine = Math.max(0, weights.cosine - (4 * slope.cosine) / fit.length)
}
console.log(weights)
for (const half of ['fit', 'check']) {
  const of = rows.filter((row) => row.half === half).map((row) => ({ ...row, score: scoreOf(row) }))
  const [high, low] = [true, false].map((about) => of.filter((row) => row.about === about).map(({ score }) => score))
  console.log(half, { n: of.length, area: areaOf(high, low).toFixed(3), calibrationError: calibrationErrorOf(of).toFixed(3) })
}
