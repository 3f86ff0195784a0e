// `npm run proof:budget [-- --quick]`: a hundred callers in four processes race for one budget, one process is killed with -9 in the middle,
// and every command comes twice. What the provider was asked for never costs more than the cap; when all is over nothing stays reserved.
// The provider is the rig; every call costs the same, so that what was spent can be counted there, by what was asked, answered or not.
// It does not measure: engine and topics. It needs a PostgreSQL (DATABASE_URL, or one that can be started here), because processes share it.
import { fork } from 'node:child_process'
import { chmodSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { commandOf, contextOf, openInside, openStores, planOf, startRigProcess, stepOf, tempFolder } from './bench-models/_service.mjs'

const MODEL = 'm-1'
const TEXT = 'How much is left?'
const TOKENS = { input: 100, output: 50 }
/** Dollars per million tokens, so that a call costs 1,500 micro-dollars. */
const PRICE = 10
const CALL = (TOKENS.input + TOKENS.output) * PRICE
const CAP_CALLS = 300
const CAP = CAP_CALLS * CALL
const REPLICAS = 4
const CALLERS = 100
const LEASE_MS = 10_000

const modelsYaml = (url) => `
servers:
  here: { speaks: openai, url: ${url} }
models:
  one: { provider: openai, server: here, model: ${MODEL}, price: { input: ${PRICE}, output: ${PRICE} }, outputTokensMax: 145 }
`
const limits = `
budgets:
  - { of: tenant, per: month, usd: ${CAP / 1e6} }
`
const noBus = { publish: async (records) => records.map(() => ({ partition: 0, offset: 0 })) }

/** One process: its callers ask until the budget says no. Every command comes twice at once. */
const replica = async ({ rigUrl, dbUrl, callers, tenant }) => {
  const { stores, close } = await openStores(dbUrl)
  const inside = await openInside({ models: modelsYaml(rigUrl), limits, stores, bus: noBus })
  const node = stepOf('one')
  const plan = planOf(node)
  const input = { text: TEXT }
  const told = { answered: 0, refused: 0, other: 0, costMicroUsd: 0, twice: 0 }
  const report = setInterval(() => process.send({ kind: 'progress', ...told }), 50)
  const caller = async () => {
    for (;;) {
      const command = commandOf(input, { tenant })
      const [result, repeat] = await Promise.all([
        inside.handle(command, contextOf(plan, node, input)),
        inside.handle(command, contextOf(plan, node, input)),
      ])
      if (JSON.stringify(result.output) !== JSON.stringify(repeat.output)) told.twice += 1
      if (result.status === 'answered') {
        told.answered += 1
        told.costMicroUsd += result.meter.costMicroUsd
      } else if (result.fault?.code === 'budget.exceeded') {
        told.refused += 1
        return
      } else {
        told.other += 1
        console.error(JSON.stringify(result).slice(0, 300))
        return
      }
    }
  }
  await Promise.all(Array.from({ length: callers }, caller))
  clearInterval(report)
  await inside.close()
  await close()
  process.send({ kind: 'done', ...told })
}

const startReplica = (options) => {
  const child = fork(import.meta.filename, ['--replica', JSON.stringify(options)], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  const state = { child, told: { answered: 0, refused: 0, other: 0, costMicroUsd: 0, twice: 0 }, killed: false }
  state.over = new Promise((resolve) => {
    child.on('message', (message) => (state.told = message))
    child.once('exit', resolve)
  })
  return state
}

const row = (what, must, seen, ok, note = '') => ({ what, must, seen, ok, note })
const print = (rows) => {
  for (const { what, must, seen, ok, note } of rows)
    console.log(`${ok ? 'PASS' : 'FAIL'} | ${what} | must ${must} | seen ${seen}${note === '' ? '' : ` | ${note}`}`)
}

const race = async ({ rig, dbUrl, round }) => {
  const tenant = `race-${process.pid}-${round}`
  await rig.reset()
  const options = { rigUrl: rig.openAiUrl, dbUrl, callers: CALLERS / REPLICAS, tenant }
  const replicas = Array.from({ length: REPLICAS }, () => startReplica(options))
  // In the middle of it: calls are out, money is reserved.
  const victim = replicas[round % REPLICAS]
  for (;;) {
    await pause(20)
    const { requests, inFlight } = await rig.stats()
    if (requests > CAP_CALLS / 3 && inFlight > 0) break
  }
  victim.killed = true
  victim.child.kill('SIGKILL')
  await Promise.all(replicas.map(({ over }) => over))
  const { requests, inFlightMax } = await rig.stats()
  // The lease of what the dead process held runs out.
  await pause(LEASE_MS + 1_000)
  const { stores, close } = await openStores(dbUrl)
  const key = `tenant:${tenant}/month`
  const listed = (await stores.budgets.list({ sinceMs: 0, limit: 10_000 })).find((budget) => budget.key === key)
  const left = CAP - listed.spent
  const { slice } =
    left > 0 ? await stores.budgets.lease({ ...listed, cap: CAP, want: left, min: left, holder: 'after', leaseMs: 1_000 }) : {}
  await close()
  const alive = replicas.filter(({ killed }) => !killed)
  const sum = (field) => alive.reduce((total, { told }) => total + told[field], 0)
  const asked = requests * CALL
  return [
    row(
      `race ${round + 1}: calls the provider was asked for, in money`,
      `<= ${CAP}`,
      asked,
      asked <= CAP,
      `${requests} calls of ${CALL} micro-dollars, at most ${inFlightMax} at once, ${CALLERS} callers in ${REPLICAS} processes`,
    ),
    row(
      `race ${round + 1}: spent by the ledger`,
      `<= ${CAP}, >= what was asked for`,
      listed.spent,
      listed.spent <= CAP && listed.spent >= asked,
      `${listed.lost} of it in slices of the process that was killed, taken as spent`,
    ),
    row(`race ${round + 1}: reserved when all is over`, '0', listed.reserved, listed.reserved === 0),
    row(`race ${round + 1}: what is left can be had`, left, slice?.amount ?? 0, (slice?.amount ?? 0) === left),
    row(
      `race ${round + 1}: callers of the living that were told`,
      `${alive.length * options.callers} refused, 0 other`,
      `${sum('refused')} refused, ${sum('other')} other`,
      sum('refused') === alive.length * options.callers && sum('other') === 0,
    ),
    row(
      `race ${round + 1}: commands that came twice and were asked twice`,
      '0',
      sum('twice'),
      sum('twice') === 0,
      `${sum('answered')} answered by the living`,
    ),
  ]
}

const main = async () => {
  const { postgresAvailable, startPostgres } = await import('../libs/testing/dist/servers/index.js')
  const available = postgresAvailable()
  if (!available.ok) {
    console.log(`skipped: ${available.why ?? 'no PostgreSQL'}`)
    return 0
  }
  const temp = tempFolder('budget')
  chmodSync(temp.dir, 0o755) // The server may run as another user.
  const postgres = process.env.DATABASE_URL === undefined ? await startPostgres({ dir: join(temp.dir, 'pg') }) : undefined
  const dbUrl = process.env.DATABASE_URL ?? postgres.url
  const recordings = [
    { model: MODEL, id: 'a', asked: TEXT, text: 'Enough.', inputTokens: TOKENS.input, outputTokens: TOKENS.output, latencyMs: 250 },
  ]
  const rig = await startRigProcess({ recordings, speed: 1 })
  const rows = []
  try {
    await (await openStores(dbUrl)).close()
    for (let round = 0; round < (process.argv.includes('--quick') ? 1 : 3); round++) {
      const seen = await race({ rig, dbUrl, round })
      print(seen)
      rows.push(...seen)
    }
  } finally {
    await rig.close()
    await postgres?.stop()
    temp.remove()
  }
  const failed = rows.filter(({ ok }) => !ok).length
  console.log(failed === 0 ? `${rows.length} checks passed` : `${failed} checks failed`)
  return failed === 0 ? 0 : 1
}

const at = process.argv.indexOf('--replica')
if (at >= 0) await replica(JSON.parse(process.argv[at + 1]))
else process.exitCode = await main()
