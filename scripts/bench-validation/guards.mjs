// Recall and precision of the guards on the labelled texts in services/validation/corpus, and their time. Timings are of this machine; the
// rest is the same everywhere. `--misses` also prints what was missed or wrongly found.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'

import {
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
} from '../../libs/policy/src/guard/index.ts'
import { interval } from './_figures.mjs'

export const title = 'Guards: recall, precision and time'
export const not =
  'texts of other authors than those of the detectors: the second and third sets are ours too, only never tuned on before they were first scored.'

const root = join(import.meta.dirname, '..', '..')

const showsMisses = process.argv.includes('--misses')
const LIMIT = { pii: 0.95, allGuardsMs: 5 }
const SETS = ['', '-second', '-third']
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

const questionsOf = () =>
  readFileSync(join(root, 'data', 'support', 'held-back.csv'), 'utf8')
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => line.replace(/,[^,]*,[^,]*$/, '').replaceAll(/^"|"$/g, ''))
const documentsOf = () =>
  gunzipSync(readFileSync(join(root, 'data', 'support', 'documents.jsonl.gz')))
    .toString()
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line).content)

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

/** CPU time of one look: the best of batches after one to warm up. Others at work on the same cores make it longer, and are not the guard. */
const microsOf = (guard, text, { batches = 25, looks = 4 } = {}) => {
  const batch = () => {
    const before = process.cpuUsage()
    for (let look = 0; look < looks; look++) findingsOf(guard, text, none)
    const { user, system } = process.cpuUsage(before)
    return (user + system) / looks
  }
  batch()
  return Array.from({ length: batches }, batch).toSorted((left, right) => left - right)[0]
}

const piiSets = () => SETS.map((set) => ({ name: `pii${set}`, kinds: scoreSpans(piiGuard(), lines(`pii${set}.txt`).map(marked)) }))
const printKinds = (say, kinds) => {
  say('\n| personal data, all three sets | marked | found | wrong | recall (95 %) | precision |\n| --- | --- | --- | --- | --- | --- |')
  for (const [kind, one] of [...kinds].toSorted(([left], [right]) => (left < right ? -1 : 1))) {
    const { marked: all, found, wrong, recall, precision } = rowOf(kind, one)
    say(`| ${kind} | ${all} | ${found} | ${wrong} | ${recall} (${interval(found, all)}) | ${precision} |`)
  }
}
const joined = (sets) => {
  const all = new Map()
  for (const { kinds } of sets)
    for (const [kind, one] of kinds) {
      const sum = all.get(kind) ?? { marked: 0, found: 0, wrong: 0 }
      all.set(kind, { marked: sum.marked + one.marked, found: sum.found + one.found, wrong: sum.wrong + one.wrong })
    }
  return all
}
const isAtLeast = ({ marked: all, found, wrong }, limit) => share(found, all) >= limit && share(found, found + wrong) >= limit

const WHICH = { '': 'tuned on', '-second': 'tuned on since', '-third': 'never tuned on' }

export const run = ({ say, quick }) => {
  const sets = piiSets()
  const secrets = scoreSpans(
    secretsGuard(),
    lines('secrets.txt').map((line) => marked(line.replaceAll('~', ''))),
  )
  const injections = SETS.map((set) => ({ set, counts: scoreTexts(injectionGuard(), attemptsOf(`injection${set}.txt`)) }))
  say('| guard and set | marked | found | wrong | recall (95 %) | precision |\n| --- | --- | --- | --- | --- | --- |')
  const show = (name, counts) => {
    const { marked: all, found, wrong, recall, precision } = rowOf(name, counts)
    say(`| ${name} | ${all} | ${found} | ${wrong} | ${recall} (${interval(found, all)}) | ${precision} |`)
  }
  sets.forEach(({ kinds }, at) => show(`pii, ${WHICH[SETS[at]]}`, sumOf(kinds)))
  show('secrets, tuned on', sumOf(secrets))
  for (const { set, counts } of injections) show(`injection, ${WHICH[set]}`, counts)
  const kinds = joined(sets)
  printKinds(say, kinds)

  const plain = documentsOf().join('\n\n').slice(0, 10_240)
  const worst = `${'a1 '.repeat(1_000)}${'a@'.repeat(1_000)}${'1'.repeat(2_000)}${'%41'.repeat(600)}${'A'.repeat(2_000)}`.slice(0, 10_000)
  const questions = questionsOf()
  const times = GUARDS.map((guard) => microsOf(guard, plain))
  say(
    '\n| guard | flagged of 1,599 questions of customers | CPU-ms on 10 KiB of policy documents | on a made-up worst text |\n| --- | --- | --- | --- |',
  )
  GUARDS.forEach((guard, at) => {
    const flagged = questions.filter((text) => findingsOf(guard, text, none).findings.length > 0).length
    say(
      `| ${guard.name} | ${flagged} | ${(times[at] / 1_000).toFixed(3)} | ${(microsOf(guard, worst, { batches: quick ? 2 : 6 }) / 1_000).toFixed(3)} |`,
    )
  })
  const allMs = times.reduce((sum, micros) => sum + micros, 0) / 1_000
  const weak = [...kinds].filter(([, one]) => !isAtLeast(one, LIMIT.pii)).map(([kind]) => kind)
  const third = sumOf(sets[2].kinds)
  const held = injections[2].counts
  return [
    {
      what: `all ${GUARDS.length} guards on 10 KiB of plain text`,
      must: `≤ ${LIMIT.allGuardsMs} CPU-ms`,
      seen: `${allMs.toFixed(2)} CPU-ms`,
      ok: allMs <= LIMIT.allGuardsMs,
    },
    {
      what: 'personal data: recall and precision, each kind, all sets',
      must: `≥ ${LIMIT.pii} each`,
      seen: weak.length === 0 ? 'each' : `not ${weak.join(', ')}`,
      ok: weak.length === 0,
    },
    {
      what: 'personal data: recall and precision on the set never tuned on',
      must: `≥ ${LIMIT.pii} each`,
      seen: `${shown(share(third.found, third.marked))}, ${shown(share(third.found, third.found + third.wrong))}`,
      ok: isAtLeast(third, LIMIT.pii),
    },
    {
      what: 'injection on the set never tuned on: a signal, no defence',
      must: 'told',
      seen: `recall ${shown(share(held.found, held.marked))}, precision ${shown(share(held.found, held.found + held.wrong))}`,
    },
  ]
}
