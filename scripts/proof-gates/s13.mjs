// S13: ten rules, three judges each, a vote. Documents and judges are generated from a stated seed: what is true of each rule is known, and
// how often each judge errs. Shown is what voting and the way to people do with that, against the best judge alone.
import { seededRandom } from '../../libs/policy/src/seeded-random.policy.ts'
import { agreementBetween } from '../../libs/policy/src/confidence/index.ts'
import { percent } from '../bench-validation/_figures.mjs'

export const title = 'S13: ten rules by three judges (generated)'
export const not = 'judges that err together: these err by themselves, and real ones of one family do not.'

const SEED = 20_261_121
const ERRS = { 'judge-a': 0.08, 'judge-b': 0.12, 'judge-c': 0.16 }
const RULES = 10
const VERDICTS = ['kept', 'broken', 'unclear']

let documents
const said = []

export const prepare = ({ home, upstream, quick }) => {
  const random = seededRandom(SEED)
  documents = Array.from({ length: quick ? 4 : 20 }, (_, at) => ({
    title: `Document ${at}`,
    truth: Array.from({ length: RULES }, () => (random() < 0.75 ? 'kept' : 'broken')),
  }))
  const verdicts = new Map()
  for (const { title: name, truth } of documents)
    for (const [rule, verdict] of truth.entries())
      for (const [judge, errs] of Object.entries(ERRS)) {
        const others = VERDICTS.filter((one) => one !== verdict)
        verdicts.set(`${judge}|${name}|${rule}`, random() < errs ? others[Math.floor(random() * 2)] : verdict)
      }
  const rules = new Map()
  upstream.serve(
    Object.fromEntries(
      Object.keys(ERRS).map((judge) => [
        `${judge}-1`,
        (asked) => {
          const [, rule = ''] = /^Rule: (.*)$/m.exec(asked) ?? []
          const [, name = ''] = /^Title: (.*)$/m.exec(asked) ?? []
          if (!rules.has(rule)) rules.set(rule, RULE_TEXTS.indexOf(rule))
          const at = rules.get(rule)
          const verdict = verdicts.get(`${judge}|${name}|${at}`) ?? 'unclear'
          said.push({ judge, name, at, verdict })
          return { verdict, reason: `as ${judge} sees it` }
        },
      ]),
    ),
  )
  for (const judge of Object.keys(ERRS)) home.route(judge, [`${judge}-1`])
  home.flow('flows/s13-document-evaluation')
}

const RULE_TEXTS = [
  'The document has a title.',
  'The document names its author.',
  'The document has a date.',
  'The document says for whom it is.',
  'The document begins with a summary.',
  'Every number has a unit.',
  'Every claim has a source.',
  'The document contains no personal data.',
  'The document ends with what is to be done.',
  'The document contradicts itself nowhere.',
]

export const run = async ({ lab, say }) => {
  await lab.cli('flows', 'publish', 'flows/s13-document-evaluation', '--replace')
  const inputs = documents.map(({ title: name }) => ({ title: name, text: 'As the proof has it.' }))
  const runs = await lab.runAll('documents/evaluation', inputs, { params: { unclearMax: 10 }, many: 3 })
  const pairs = runs.flatMap(({ result }, at) =>
    (result?.output?.findings ?? []).map(({ verdict }, rule) => ({ left: verdict, right: documents[at].truth[rule] })),
  )
  const vote = agreementBetween(pairs)
  const truthOf = ({ name, at }) => documents.find(({ title: one }) => one === name)?.truth[at]
  const alone = Object.keys(ERRS).map((judge) => ({
    judge,
    ...agreementBetween(said.filter((one) => one.judge === judge).map((one) => ({ left: one.verdict, right: truthOf(one) }))),
  }))
  say(`seed ${SEED}, ${documents.length} documents, ${RULES} rules; ${said.length} questions to judges`)
  say('\n| who | n | right | kappa with the truth |\n| --- | --- | --- | --- |')
  for (const { judge, rows, agreed, kappa } of alone)
    say(`| ${judge}, errs ${ERRS[judge]} | ${rows} | ${percent(agreed)} | ${kappa.toFixed(3)} |`)
  say(`| the vote | ${vote.rows} | ${percent(vote.agreed)} | ${vote.kappa.toFixed(3)} |`)
  const best = Math.max(...alone.map(({ agreed }) => agreed))
  const reasons = runs
    .flatMap(({ result }) => result?.output?.findings ?? [])
    .filter(({ reason }) => typeof reason === 'string' && reason !== '').length
  // The same document with one unclear rule allowed less than there are: a person decides.
  const strict = await lab.runAll('documents/evaluation', inputs.slice(0, 3), { params: { unclearMax: 0 } })
  const unclear = runs.slice(0, 3).map(({ result }) => (result?.output?.findings ?? []).some(({ verdict }) => verdict === 'unclear'))
  const people = strict.map(({ status }) => status === 'waiting')
  const early = RULES * documents.length * 3 - said.filter(({ name }) => name !== '').length
  return [
    {
      what: 'every rule has a verdict and a reason',
      must: String(RULES * documents.length),
      seen: `${vote.rows}, ${reasons}`,
      ok: vote.rows === RULES * documents.length && reasons === vote.rows,
    },
    {
      what: 'right by the vote, against the best judge alone',
      must: `≥ ${percent(best)}`,
      seen: percent(vote.agreed),
      ok: vote.agreed >= best,
    },
    {
      what: 'too much unclear: a person',
      must: JSON.stringify(unclear),
      seen: JSON.stringify(people),
      ok: JSON.stringify(unclear) === JSON.stringify(people),
    },
    { what: 'questions saved because two agreed (early)', must: 'told', seen: String(Math.max(0, early)) },
  ]
}
