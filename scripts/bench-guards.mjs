// `node scripts/bench-guards.mjs`: recall and precision of the guards on the labelled texts in services/validation/corpus, and their time.
// Needs the build of libs/policy (`tsc -b libs/policy`). Timings are of this machine; the rest is the same everywhere.
// `--misses` also prints what was missed or wrongly found.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'

const root = join(import.meta.dirname, '..')
const guards = await import(join(root, 'libs', 'policy', 'dist', 'guard', 'index.js'))
const {
  piiGuard,
  secretsGuard,
  injectionGuard,
  harmGuard,
  harmModel,
  languageGuard,
  linksGuard,
  competitorsGuard,
  patternsGuard,
  findingsOf,
} = guards

const showsMisses = process.argv.includes('--misses')
const LIMIT = { pii: 0.95, allGuardsMs: 5 }
const none = () => {}

const lines = (name) =>
  readFileSync(join(root, 'services', 'validation', 'corpus', name), 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('# '))

/** A text with `{{kind|text}}` as plain text and spans. */
const marked = (line) => {
  const spans = []
  let text = ''
  let at = 0
  for (const { 0: match, 1: kind, 2: inner, index } of line.matchAll(/\{\{([a-z_]+)\|(.*?)\}\}/g)) {
    text += line.slice(at, index)
    spans.push({ kind, start: text.length, end: text.length + inner.length })
    text += inner
    at = index + match.length
  }
  return { text: text + line.slice(at), spans }
}

const share = (part, whole) => (whole === 0 ? Number.NaN : part / whole)
const shown = (value) => (Number.isNaN(value) ? '-' : value.toFixed(3))

/** Found means: of the same kind, and every character of it covered. A finding that touches nothing marked of its kind is wrong. */
const scoreSpans = (guard, rows) => {
  const kinds = new Map()
  const of = (kind) => {
    if (!kinds.has(kind)) kinds.set(kind, { marked: 0, found: 0, wrong: 0 })
    return kinds.get(kind)
  }
  for (const { text, spans } of rows) {
    const { findings } = findingsOf(guard, text, none)
    for (const span of spans) {
      const hit = findings.some(({ kind, start, end }) => kind === span.kind && start <= span.start && end >= span.end)
      of(span.kind).marked += 1
      if (hit) of(span.kind).found += 1
      else if (showsMisses) console.log(`missed ${span.kind}: ${text}`)
    }
    for (const finding of findings) {
      if (spans.some(({ kind, start, end }) => kind === finding.kind && start < finding.end && finding.start < end)) continue
      of(finding.kind).wrong += 1
      if (showsMisses) console.log(`wrong ${finding.kind} "${text.slice(finding.start, finding.end)}": ${text}`)
    }
  }
  return kinds
}

const sumOf = (kinds) => {
  const total = { marked: 0, found: 0, wrong: 0 }
  for (const one of kinds.values()) for (const key of Object.keys(total)) total[key] += one[key]
  return total
}
const rowOf = (name, { marked: all, found, wrong }) => ({
  what: name,
  marked: all,
  found,
  wrong,
  recall: shown(share(found, all)),
  precision: shown(share(found, found + wrong)),
})

const scoreTexts = (guard, rows) => {
  const result = { marked: 0, found: 0, wrong: 0 }
  for (const { text, attempt } of rows) {
    const flagged = findingsOf(guard, text, none).findings.length > 0
    if (attempt) result.marked += 1
    if (attempt && flagged) result.found += 1
    if (!attempt && flagged) result.wrong += 1
    if (showsMisses && attempt !== flagged) console.log(`${attempt ? 'missed' : 'wrong'} ${guard.name}: ${text}`)
  }
  return result
}

const attemptsOf = (file) => lines(file).map((line) => ({ attempt: line.startsWith('+'), text: line.slice(2).replaceAll('\\n', '\n') }))
const pii = scoreSpans(piiGuard(), lines('pii.txt').map(marked))
const secrets = scoreSpans(
  secretsGuard(),
  lines('secrets.txt').map((line) => marked(line.replaceAll('~', ''))),
)
const injection = scoreTexts(injectionGuard(), attemptsOf('injection.txt'))
const second = new Map([
  ['pii', sumOf(scoreSpans(piiGuard(), lines('pii-second.txt').map(marked)))],
  ['injection', scoreTexts(injectionGuard(), attemptsOf('injection-second.txt'))],
])

console.log('personal data by kind')
console.table([...pii].toSorted(([left], [right]) => (left < right ? -1 : 1)).map(([kind, counts]) => rowOf(kind, counts)))

const questions = readFileSync(join(root, 'data', 'support', 'held-back.csv'), 'utf8')
  .trim()
  .split('\n')
  .slice(1)
  .map((line) => line.replace(/,[^,]*,[^,]*$/, '').replaceAll(/^"|"$/g, ''))
const documents = gunzipSync(readFileSync(join(root, 'data', 'support', 'documents.jsonl.gz')))
  .toString()
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line).content)
const plain = documents.join('\n\n').slice(0, 10_240)

const GUARDS = [
  piiGuard(),
  secretsGuard(),
  injectionGuard(),
  harmGuard({}, harmModel),
  languageGuard({ allow: ['en'] }),
  linksGuard({ allow: ['example.com'] }),
  competitorsGuard({ names: ['Acme Bank', 'Globex'] }),
  patternsGuard({ patterns: { order_number: String.raw`\bORD-\d{6}\b` } }),
]

/** CPU time of one look, the mean of 40 after 10 to warm up: wall time would measure whoever else is at work here. */
const microsOf = (guard, text) => {
  for (let round = 0; round < 10; round++) findingsOf(guard, text, none)
  const before = process.cpuUsage()
  for (let round = 0; round < 40; round++) findingsOf(guard, text, none)
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 40
}

const quality = new Map([
  ['pii', sumOf(pii)],
  ['secrets', sumOf(secrets)],
  ['injection', injection],
])
const worst = `${'a1 '.repeat(1_000)}${'a@'.repeat(1_000)}${'1'.repeat(2_000)}${'%41'.repeat(600)}${'A'.repeat(2_000)}`.slice(0, 10_000)
const rows = GUARDS.map((guard) => {
  const counts = quality.get(guard.name)
  const flagged = questions.filter((text) => findingsOf(guard, text, none).findings.length > 0).length
  const micros = microsOf(guard, plain)
  return {
    guard: guard.name,
    recall: counts === undefined ? '-' : shown(share(counts.found, counts.marked)),
    precision: counts === undefined ? '-' : shown(share(counts.found, counts.found + counts.wrong)),
    'of 1599 customer questions': guard.name === 'language' || guard.name === 'links' ? flagged : `${flagged} flagged`,
    'CPU µs per 1,000 characters': (micros / (plain.length / 1_000)).toFixed(1),
    'on a made-up worst text': (microsOf(guard, worst) / (worst.length / 1_000)).toFixed(1),
  }
})
console.log('second set, never used for tuning')
console.table([...second].map(([name, counts]) => rowOf(name, counts)))
console.log('guards; recall and precision on services/validation/corpus, time on 10 KiB of policy documents (CPU, mean of 40)')
console.table(rows)
const allMs = GUARDS.slice(0, 4).reduce((sum, guard) => sum + microsOf(guard, plain), 0) / 1_000
console.log(`pii, secrets, injection and toxicity on 10 KiB: ${allMs.toFixed(2)} CPU-ms (wanted: at most ${LIMIT.allGuardsMs} ms)`)

const total = sumOf(pii)
const isGood = share(total.found, total.marked) >= LIMIT.pii && share(total.found, total.found + total.wrong) >= LIMIT.pii
console.log(`personal data: recall and precision at least ${LIMIT.pii}: ${isGood ? 'yes' : 'no'}`)
process.exit(isGood ? 0 : 1)
