// S10: payments that nobody made, from a stated seed. What is known of the generator: 6 % fraud; the large model sees it best and is down or
// late for some; rules stand in last. The flow is the repository's own.
import { seededRandom } from '../../libs/policy/src/seeded-random.policy.ts'
import { percent } from '../bench-validation/_figures.mjs'

export const title = 'S10: payments within a second (generated)'
export const not =
  "fraud as it is: the payments are made up, and so are the models' scores. What is shown is what gates and failover do with them."

const SEED = 20_261_121
const COUNTRIES = ['DE', 'FR', 'NL', 'PL', 'US']
const gauss = (random) => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
const sigmoid = (value) => 1 / (1 + Math.exp(-value))
const rounded = (value) => Math.round(Math.min(1, Math.max(0, value)) * 1e4) / 1e4

const paymentsOf = (count) => {
  const random = seededRandom(SEED)
  return Array.from({ length: count }, (_, at) => {
    const fraud = random() < 0.06
    const country = COUNTRIES[Math.floor(random() * COUNTRIES.length)]
    const known = random() < (fraud ? 0.4 : 0.85)
    const base = Math.exp((fraud ? 5.6 : 4) + 0.9 * gauss(random))
    const signal = fraud ? 2.6 : -2.6
    return {
      payment: `p${at}`,
      customer: `c${at}`,
      // The last digits name the payment: the models are told no more than amount, country and facts.
      amount: Math.round(base) + (at + 1) / 10_000,
      country,
      fraud,
      facts: {
        known,
        countries: random() < (fraud ? 0.3 : 0.9) ? [country] : ['CH'],
        paymentsToday: Math.floor(random() * (fraud ? 9 : 3)),
      },
      large: rounded(sigmoid(signal + 0.9 * gauss(random))),
      small: rounded(sigmoid(signal + 1.8 * gauss(random))),
      rules: rounded(0.3 + (fraud ? 0.3 : 0) + 0.1 * gauss(random)),
      trouble: random() < 0.08 ? 'down' : random() < 0.04 ? 'late' : 'none',
    }
  })
}

let payments

export const prepare = ({ home, upstream, quick }) => {
  payments = paymentsOf(quick ? 40 : 250)
  const byAmount = new Map(payments.map((one) => [String(one.amount), one]))
  const of = (asked) => byAmount.get(/^amount: ([\d.]+)/m.exec(asked)?.[1] ?? '')
  upstream.serve({
    'fraud-large-1': (asked) => {
      const one = of(asked)
      if (one === undefined || one.trouble === 'down') return { status: 503 }
      return { ...(one.trouble === 'late' ? { delayMs: 500 } : {}), score: one.large, reason: 'large' }
    },
    'fraud-small-1': (asked) => (of(asked) === undefined ? { status: 503 } : { score: of(asked).small, reason: 'small' }),
    'fraud-rules-1': (asked) => (of(asked) === undefined ? { status: 503 } : { score: of(asked).rules, reason: 'rules' }),
  })
  for (const name of ['fraud-large', 'fraud-small', 'fraud-rules']) home.route(name, [`${name}-1`])
  home.flow('flows/s10-fraud')
  home.file(
    'payments/tools/facts.mjs',
    `import { defineTool } from '@baton/tools'
import { z } from 'zod'
const FACTS = ${JSON.stringify(Object.fromEntries(payments.map(({ payment, facts }) => [payment, facts])))}
export const facts = defineTool({
  name: 'payments/facts', about: 'What is known of a payment.', effect: 'read', timeoutMs: 100,
  input: z.looseObject({ payment: z.string() }),
  output: z.looseObject({ known: z.boolean(), countries: z.array(z.string()), paymentsToday: z.number().int() }),
  run: async ({ payment }) => FACTS[payment],
})
`,
  )
  home.file('payments/flow.yaml', 'flow: gates/payments@1.0.0\nlimits: { time: 1m, steps: 5 }\nsteps:\n  - nothing: { set: 1 }\n')
}

export const run = async ({ lab, say, quick }) => {
  await lab.cli('flows', 'publish', 'flows/s10-fraud', '--replace')
  const inputs = payments.map(({ payment, customer, amount, country }) => ({ payment, customer, amount, country }))
  const runs = await lab.runAll('payments/fraud', inputs, { many: 2 })
  const rows = runs.map((one, at) => {
    const { output } = one.result ?? {}
    return {
      ...payments[at],
      status: one.status,
      code: one.fault?.code,
      verdict: output?.verdict ?? (one.status === 'waiting' ? 'person' : 'none'),
      score: output?.score,
      workingMs: one.workingMs,
      by: output?.reason,
    }
  })
  const decided = rows.filter(({ verdict }) => verdict === 'approve' || verdict === 'decline')
  const people = rows.filter(({ verdict }) => verdict === 'person')
  const bands = decided.filter(({ verdict, score }) => verdict !== (score >= 0.9 ? 'decline' : score < 0.6 ? 'approve' : 'person'))
  const fraud = rows.filter(({ fraud: is }) => is)
  const wrong = decided.filter(({ fraud: is, verdict }) => is !== (verdict === 'decline'))
  const letGo = fraud.filter(({ verdict }) => verdict === 'approve').length
  const failed = rows.filter(({ status }) => status === 'failed')
  const times = decided.map(({ workingMs }) => workingMs).toSorted((left, right) => left - right)
  const stoodIn = rows.filter(({ trouble, verdict, by }) => trouble === 'down' && verdict !== 'none' && by !== 'large').length
  // A run whose time was over says so, and is counted among the failed.
  const troubled = rows.filter(({ trouble, status }) => trouble === 'down' && status !== 'failed').length
  say(
    `seed ${SEED}, ${rows.length} payments, ${fraud.length} of them fraud; the large model is down for ${troubled} and late for ${rows.filter(({ trouble }) => trouble === 'late').length}`,
  )
  say(
    `approved ${percent(rows.filter(({ verdict }) => verdict === 'approve').length / rows.length)}, declined ${percent(rows.filter(({ verdict }) => verdict === 'decline').length / rows.length)}, to a person ${percent(people.length / rows.length)}, failed ${failed.length} ${[...new Set(failed.map(({ code }) => code))].join(' ')}`,
  )
  say(
    `working time p50 ${times[Math.floor(times.length / 2)]} ms, p95 ${times[Math.floor(times.length * 0.95)]} ms; decided by a machine and right ${percent(1 - wrong.length / decided.length)}`,
  )
  return [
    {
      what: 'every payment has an end: a verdict, a person, or a fault that says why',
      must: String(rows.length),
      seen: String(decided.length + people.length + failed.length),
      ok: decided.length + people.length + failed.length === rows.length,
    },
    { what: 'verdicts that do not fit the band of their score', must: '0', seen: String(bands.length), ok: bands.length === 0 },
    {
      what: 'the large model was down, and another stood in or a person was asked',
      must: String(troubled),
      seen: String(stoodIn),
      ok: stoodIn === troubled,
    },
    {
      what: 'fraud that a machine approved',
      must: '≤ 15 %',
      seen: percent(letGo / fraud.length),
      ok: quick ? undefined : letGo / fraud.length <= 0.15,
    },
    {
      what: 'decided by a machine and right',
      must: '≥ 95 %',
      seen: percent(1 - wrong.length / decided.length),
      ok: wrong.length / decided.length <= 0.05,
    },
    {
      what: 'longer than 900 ms of working time and decided all the same',
      must: '0',
      seen: String(times.filter((ms) => ms > 900).length),
      ok: times.every((ms) => ms <= 900),
    },
  ]
}
