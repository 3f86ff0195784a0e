// The figures of the engine: durable steps beside the durable peers that run on this machine, and what depth, waiting and fan-out cost.
//   --only=kafka,fsync,c256,one,depth,waiting,fanout,embedded   some rows
//   --pairs=N     rounds, 7 by default; 1 is a smoke test with few runs
//   --runs=N      runs of Baton in a round (peers: a third)
//   --peers=a,b   of mastra, restate, dbos, langgraph
//   --waiting=N --timers=N
import { missingServers } from '../proof/system.mjs'
import { DURABLE_PEERS } from './peer.mjs'
import { runDepth } from './engine/depth.mjs'
import { runEmbeddedRow } from './engine/embedded.mjs'
import { runFanOut } from './engine/fan-out.mjs'
import { runOnKafka } from './engine/kafka.mjs'
import { say } from './engine/report.mjs'
import { runWaiting } from './engine/waiting.mjs'

const ROWS = ['kafka', 'c256', 'one', 'fsync', 'embedded', 'depth', 'fanout', 'waiting']

const optionsOf = (args) => {
  const of = (name) => args.find((arg) => arg.startsWith(`--${name}=`))?.slice(name.length + 3)
  const number = (name, otherwise) => Number(of(name) ?? otherwise)
  const pairs = number('pairs', 7)
  const quick = pairs === 1
  return {
    pairs,
    quick,
    rows: of('only')?.split(',') ?? ROWS,
    runs: number('runs', quick ? 300 : 3_000),
    peerNames: of('peers')?.split(',').filter(Boolean) ?? DURABLE_PEERS,
    waiting: number('waiting', quick ? 4_000 : 100_000),
    timers: number('timers', quick ? 1_000 : 10_000),
  }
}

export const main = async (args) => {
  const options = optionsOf(args)
  const unknown = options.rows.filter((row) => !ROWS.includes(row))
  if (unknown.length > 0) {
    say(`there is no row ${unknown.join(', ')}; there are ${ROWS.join(', ')}`)
    return 2
  }
  const wants = (row) => options.rows.includes(row)
  const missing = missingServers()
  const results = []
  const run = async (what, servers, play) => {
    if (servers && missing !== undefined) say(`\nSKIP ${what}: ${missing}`)
    else results.push(...(await play()))
  }
  say(
    'five durable no-op steps unless a row says otherwise; the client shares the cores; runs/s includes the time until tracing has caught up',
  )
  const onKafka = ['kafka', 'c256', 'one'].filter(wants)
  if (onKafka.length > 0) await run(onKafka.join(', '), true, () => runOnKafka({ ...options, rows: onKafka, fsync: false }))
  if (wants('fsync')) await run('fsync', true, () => runOnKafka({ ...options, rows: ['kafka', 'c256', 'one'], fsync: true }))
  if (wants('embedded')) await run('embedded', false, () => runEmbeddedRow(options))
  if (wants('depth')) await run('depth', false, () => runDepth(options))
  if (wants('fanout')) await run('fanout', true, () => runFanOut(options))
  if (wants('waiting')) await run('waiting', false, () => runWaiting(options))
  say('\nnot measured: several brokers, replication, networks, models and tools that do work, peers with workers in processes of their own')
  say(
    '(Mastra, DBOS and LangGraph run their steps in the process of the caller), disks whose fsync is slow. Ratios travel between machines; runs/s,',
  )
  say('milliseconds and CPU do not.')
  const failed = results.filter((ok) => ok === false).length
  say(`${results.filter(Boolean).length} passed, ${failed} failed, ${results.filter((ok) => ok === undefined).length} without a comparison`)
  return failed === 0 ? 0 : 1
}
