// Retrieval on the 698 policy documents of banking_knowledge: the customers' instructions as the request, the documents that a task needs
// as what should be found. Text and hybrid run on PGlite through the same code as the service; MiniSearch beside them in the same run.
// Windows, weights and the third order were chosen on these tasks: there are no others with labels.
// Not measured: other languages, short questions (the set has none), approximate vector indexes (there are none).
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { keeping } from './_embeddings.mjs'
import { areaOf, calibrationErrorOf, questionsOf } from './_relevance.mjs'

export const name = 'retrieval'

const root = join(import.meta.dirname, '..', '..')
const SEED = 20_260_731
const RESAMPLES = 10_000
const KS = [5, 10, 20]
const unzipped = (file) => gunzipSync(readFileSync(file)).toString('utf8')
const mean = (list) => list.reduce((sum, value) => sum + value, 0) / Math.max(1, list.length)
const three = (value) => value.toFixed(3)

const random = (seed) => {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

/** 95 % of the means of tasks drawn with replacement. */
export const interval = (values, seed = SEED) => {
  const next = random(seed)
  const means = Array.from({ length: RESAMPLES }, () => {
    let sum = 0
    for (let at = 0; at < values.length; at++) sum += values[Math.floor(next() * values.length)]
    return sum / values.length
  }).toSorted((left, right) => left - right)
  return [means[Math.floor(RESAMPLES * 0.025)], means[Math.floor(RESAMPLES * 0.975)]]
}

const recallAt = (ids, required, k) => {
  const top = new Set(ids.slice(0, k))
  return required.filter((id) => top.has(id)).length / required.length
}

const miniSearch = async (documents, tasks) => {
  const { default: MiniSearch } = await import('minisearch')
  const search = new MiniSearch({ fields: ['title', 'content'] })
  search.addAll(documents)
  return tasks.map(({ query }) =>
    search
      .search(query)
      .slice(0, 20)
      .map(({ id }) => id),
  )
}

const wholeInstructions = (shared) =>
  JSON.parse(unzipped(join(shared, 'data', 'banking_knowledge', 'tasks_dev.json.gz')))
    .filter((task) => task.required_documents.length > 0)
    .map((task) => ({ query: task.user_scenario.instructions, required: task.required_documents }))

const modelsDirOf = () => {
  const dirs = [process.env.BATON_MODELS_DIR, join(root, '.baton', 'models'), join(root, '.cache', 'models')]
  return dirs.find((dir) => dir !== undefined && existsSync(join(dir, 'minilm', 'tokenizer.json')))
}

const recallRow = ({ system, per, ms, note }) => {
  const lists = per[system]
  const floor = mean(per.minisearch[1])
  const musts = { text: `recall@10 >= ${three(floor)}`, hybrid: 'goal recall@10 0.350' }
  return {
    what: `${system}: recall@5/10/20`,
    must: musts[system] ?? '',
    seen: lists.map((list) => three(mean(list))).join(' / '),
    ok: system === 'text' ? mean(lists[1]) >= floor : undefined,
    note: `@10 95% [${interval(lists[1]).map(three).join(', ')}], ${note}${ms === undefined ? '' : `, ${ms.toFixed(0)} ms a request`}`,
  }
}

/** Hybrid against another way, task by task. */
const gainRow = ({ per, against, required }) => {
  const gains = per.hybrid[1].map((recall, at) => recall - per[against][1][at])
  const [low, high] = interval(gains)
  return {
    what: `hybrid better than ${against}, recall@10`,
    must: required ? 'interval above 0' : '',
    seen: `${mean(gains) >= 0 ? '+' : ''}${three(mean(gains))}`,
    ok: required ? low > 0 : undefined,
    note: `paired bootstrap over tasks 95% [${three(low)}, ${three(high)}], ${RESAMPLES} draws, seed ${SEED}`,
  }
}

export const run = async ({ quick, shared }) => {
  if (shared === undefined || !existsSync(join(shared, 'data', 'banking_knowledge', 'tasks_dev.json.gz')))
    return [{ what: 'recall', must: '', seen: 'skipped', ok: undefined, note: 'BATON_SHARED does not lead to banking_knowledge' }]
  const [{ openPglite, migrate }, { migrations }, { searchIndexes }, { vectorScanOf, exactScan, hasPgvector }, { localEmbedders }] =
    await Promise.all([
      import(join(root, 'libs/store/dist/index.js')),
      import(join(root, 'services/tools/dist/migrations/migrations.js')),
      import(join(root, 'services/tools/dist/retrieval/search-index.repository.js')),
      import(join(root, 'services/tools/dist/retrieval/vector-scan.js')),
      import(join(root, 'services/models/dist/embeddings/local-embedder.adapter.js')),
    ])
  const rows = []
  const documents = unzipped(join(root, 'data', 'support', 'documents.jsonl.gz'))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  const tasks = wholeInstructions(shared)
  // Vectors of all documents take a minute or two: not in a quick run.
  const modelsDir = quick ? undefined : modelsDirOf()
  const embedder =
    modelsDir === undefined
      ? undefined
      : keeping(await localEmbedders(modelsDir)('minilm'), join(root, '.cache', 'bench', 'minilm-vectors.json'))
  const db = await openPglite()
  try {
    await migrate(db, { scope: 'tools', migrations })
    const pgvector = await hasPgvector(db)
    const options = { embedders: async () => embedder }
    const indexes = searchIndexes(db, { ...options, scan: await vectorScanOf(db) })
    const entries = documents.map(({ id, title, content }) => ({ id, title, text: content }))
    const started = performance.now()
    const add = (index, embed) => indexes.add({ tenant: 'default', index, documents: entries, ...(embed === undefined ? {} : { embed }) })
    const { chunks } = await add('policies', embedder === undefined ? undefined : 'minilm')
    embedder?.save()
    const addedMs = performance.now() - started
    const again = performance.now()
    const { unchanged } = await add('policies')
    const againMs = performance.now() - again

    const findAll = async (mode, { source = indexes, one = false } = {}) => {
      const found = []
      let ms = 0
      for (const { query } of tasks) {
        const from = performance.now()
        // Without marks of its end a request is one question.
        const asked = one ? query.replaceAll(/[.!?\r\n]+/g, ' ') : query
        found.push((await source.search({ tenant: 'default', index: 'policies', query: asked, top: 20, mode })).map(({ id }) => id))
        ms += performance.now() - from
      }
      return { found, ms: ms / tasks.length }
    }
    const systems = {
      minisearch: { found: await miniSearch(documents, tasks) },
      'text, one question': await findAll('text', { one: true }),
      text: await findAll('text'),
    }
    if (embedder !== undefined) {
      systems.vector = await findAll('vector')
      systems.hybrid = await findAll('hybrid')
      embedder.save()
    }
    const per = Object.fromEntries(
      Object.entries(systems).map(([system, { found }]) => [
        system,
        KS.map((k) => tasks.map(({ required }, at) => recallAt(found[at], required, k))),
      ]),
    )
    const n = `n=${tasks.length} tasks, ${documents.length} documents`
    rows.push(...Object.keys(per).map((system) => recallRow({ system, per, ms: systems[system].ms, note: n })))
    if (embedder === undefined)
      rows.push({
        what: 'hybrid better than text',
        must: '',
        seen: 'skipped',
        note: quick ? 'not in a quick run' : 'no MiniLM: baton models pull minilm, or BATON_MODELS_DIR',
      })
    else {
      for (const against of ['text', 'text, one question', 'vector']) rows.push(gainRow({ per, against, required: against !== 'vector' }))
      const exact = await findAll('vector', { source: searchIndexes(db, { ...options, scan: exactScan(db) }) })
      const same = tasks.filter((_, at) => exact.found[at].join() === systems.vector.found[at].join()).length
      rows.push({
        what: 'exact scan in the service gives what pgvector gives',
        must: pgvector ? `${tasks.length} of ${tasks.length}` : '',
        seen: pgvector ? `${same} of ${tasks.length}` : 'skipped',
        ok: pgvector ? same === tasks.length : undefined,
        note: pgvector
          ? `${systems.vector.ms.toFixed(0)} and ${exact.ms.toFixed(0)} ms a request, embedding included`
          : 'this PGlite has no pgvector',
      })
      rows.push(...(await relevanceRows({ indexes, shared, quick, documents })))
    }
    rows.push({
      what: 'adding the same again',
      must: `${documents.length} unchanged`,
      seen: `${unchanged} unchanged`,
      ok: unchanged === documents.length,
      note: `${addedMs.toFixed(0)} ms first (${chunks} chunks), ${againMs.toFixed(0)} ms again`,
    })
  } finally {
    await db.close()
  }
  return rows
}

/** Whether the score tells questions that the documents are about from others, on intents that had no part in fitting it. */
const relevanceRows = async ({ indexes, shared, quick }) => {
  if (!existsSync(join(shared, 'data', 'clinc150', 'train_val.json')))
    return [{ what: 'score', must: '', seen: 'skipped', note: 'BATON_SHARED has no clinc150' }]
  const questions = questionsOf(shared, quick ? 5 : 25).filter(({ half }) => half === 'check')
  const rows = []
  for (const question of questions) {
    const found = await indexes.search({ tenant: 'default', index: 'policies', query: question.text, top: 5 })
    rows.push({ ...question, score: Math.max(0, ...found.map(({ score }) => score)) })
  }
  const [high, low] = [true, false].map((about) => rows.filter((row) => row.about === about).map(({ score }) => score))
  const area = areaOf(high, low)
  const error = calibrationErrorOf(rows)
  const note = `highest score of 5 passages, n=${high.length} about the documents, ${low.length} about other things (clinc150, held-out intents)`
  return [
    { what: 'score: area under the curve', must: '>= 0.9', seen: three(area), ok: area >= 0.9, note },
    {
      what: 'score: expected calibration error',
      must: '<= 0.1',
      seen: three(error),
      ok: error <= 0.1,
      note: 'ten bins; half of the questions are about the documents',
    },
  ]
}
