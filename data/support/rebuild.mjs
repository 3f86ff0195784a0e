// Rebuilds the committed demo data from the public sources named in ../README.md.
// Usage: BATON_SHARED=FOLDER node data/support/rebuild.mjs   (FOLDER holds data/banking77, data/clinc150, data/banking_knowledge)
// The same seed and sources give the same bytes.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync, gzipSync } from 'node:zlib'

const SEED = 20_260_101
const HELD_BACK_SHARE = 0.15
const here = dirname(fileURLToPath(import.meta.url))
const evalsDir = join(here, '../../flows/support/evals')

// CLINC150 domains and intents that a bank could be asked about; they would teach the wrong thing as `unknown`.
const BANKING_DOMAINS = ['banking', 'credit_cards']
const BANKING_INTENTS = ['exchange_rate', 'travel_notification', 'direct_deposit', 'find_phone', 'cancel', 'order_status', 'change_user_name', 'user_name', 'payday', 'income']
const UNKNOWN_PER_INTENT = 8

const random = (seed) => {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
const shuffled = (items, next) => {
  const copy = [...items]
  for (let last = copy.length - 1; last > 0; last--) {
    const other = Math.floor(next() * (last + 1))
    ;[copy[last], copy[other]] = [copy[other], copy[last]]
  }
  return copy
}

const parseCsv = (csv) => {
  const rows = []
  let row = []
  for (const [, quoted, plain, end] of csv.matchAll(/(?:"((?:[^"]|"")*)"|([^,"\r\n]*))(,|\r?\n|$)/g)) {
    row.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'))
    if (end === ',') continue
    if (row.length > 1 || row[0] !== '') rows.push(row)
    row = []
  }
  return rows
}
const byText = (left, right) => (left < right ? -1 : left > right ? 1 : 0)
const csvField = (value) => (/[",\n\r]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value)
const toCsv = (header, rows) => [header, ...rows].map((row) => row.map(csvField).join(',')).join('\n') + '\n'
const toJsonl = (rows) => rows.map((row) => JSON.stringify(row)).join('\n') + '\n'
const oneLine = (text) => text.replace(/\s+/g, ' ').trim()

const shared = process.env.BATON_SHARED
if (shared === undefined || !existsSync(join(shared, 'data/banking77/train.csv'))) {
  process.stdout.write('skipped: BATON_SHARED does not point to a folder with data/banking77/train.csv; the committed files stay as they are\n')
  process.exit(0)
}
const source = (name) => readFileSync(join(shared, 'data', name))
const next = random(SEED)

const labels = new Map(parseCsv(readFileSync(join(here, '../../flows/support/models/labels.csv'), 'utf8')).slice(1).map(([label, category, sensitive]) => [label, { category, sensitive: sensitive === 'true' }]))

// banking77: repeats of the same text dropped, then split within each label.
const seen = new Set()
const banking = parseCsv(source('banking77/train.csv').toString())
  .slice(1)
  .map(([text, label]) => [oneLine(text), label])
  .filter(([text]) => {
    const key = text.toLowerCase()
    return seen.has(key) ? false : seen.add(key)
  })
const byLabel = Map.groupBy(banking, ([, label]) => label)
const train = []
let heldBack = []
for (const label of [...byLabel.keys()].toSorted(byText)) {
  if (!labels.has(label)) throw new Error(`labels.csv has no row for ${label}`)
  const rows = shuffled(byLabel.get(label), next)
  const keep = Math.round(rows.length * HELD_BACK_SHARE)
  heldBack.push(...rows.slice(0, keep))
  train.push(...rows.slice(keep))
}
heldBack = shuffled(heldBack, next)

// CLINC150: what is not about a bank becomes `unknown`.
const clinc = JSON.parse(source('clinc150/train_val.json').toString())
const domains = JSON.parse(source('clinc150/domains.json').toString())
const foreign = Object.entries(domains).filter(([domain]) => !BANKING_DOMAINS.includes(domain)).flatMap(([, intents]) => intents).filter((intent) => !BANKING_INTENTS.includes(intent)).toSorted(byText)
const clincByIntent = Map.groupBy(clinc.train, ([, intent]) => intent)
const unknown = [
  ...clinc.oos_train.map(([text]) => [oneLine(text), 'unknown', 'clinc150 oos_train']),
  ...foreign.flatMap((intent) => shuffled(clincByIntent.get(intent), next).slice(0, UNKNOWN_PER_INTENT).map(([text]) => [oneLine(text), 'unknown', `clinc150 train ${intent}`])),
]
const outOfScope = shuffled(clinc.oos_val.map(([text]) => oneLine(text)), next)

const question = (id, [text, label]) => ({ id, text, label, ...(labels.get(label) ?? { category: 'unknown', sensitive: false }) })
const asked = [...heldBack.slice(0, 270), ...outOfScope.slice(0, 30).map((text) => [text, 'unknown'])]
const questions = shuffled(asked, next).map((row, at) => question(`q${String(at + 1).padStart(3, '0')}`, row))
const cases = shuffled([...heldBack.slice(270, 360), ...outOfScope.slice(30, 40).map((text) => [text, 'unknown'])], next).map((row, at) => {
  const { id, text, category, label } = question(`e${String(at + 1).padStart(3, '0')}`, row)
  return { id, input: { text }, expect: { intent: category }, labels: { label } }
})

writeFileSync(join(here, 'train.csv'), toCsv(['text', 'label', 'source'], [...train.map((row) => [...row, 'banking77']), ...unknown]))
writeFileSync(
  join(here, 'held-back.csv'),
  toCsv(['text', 'label', 'use'], [
    ...heldBack.map(([text, label], at) => [text, label, at < 270 ? 'demo' : at < 360 ? 'eval' : 'test']),
    ...outOfScope.map((text, at) => [text, 'unknown', at < 30 ? 'demo' : at < 40 ? 'eval' : 'test']),
  ]),
)
writeFileSync(join(here, 'questions.jsonl'), toJsonl(questions))
writeFileSync(join(evalsDir, 'intent.jsonl'), toJsonl(cases))
const documents = gunzipSync(source('banking_knowledge/documents.jsonl.gz'))
writeFileSync(join(here, 'documents.jsonl.gz'), gzipSync(documents, { level: 9 }))
process.stdout.write(`train ${train.length} + ${unknown.length} unknown, held back ${heldBack.length} + ${outOfScope.length} out of scope, questions ${questions.length}, eval cases ${cases.length}\n`)
