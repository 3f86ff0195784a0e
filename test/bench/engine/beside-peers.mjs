// Five durable steps beside every durable peer that runs here, interleaved: each round plays Baton and then each peer, so that all see
// the same machine. The ratio of a round is to the peer that was best over all rounds.
import { median, ratioInterval } from '../figures.mjs'
import { DURABLE_PEERS, startPeer } from '../peer.mjs'
import { cpuOfTrees, grownBy } from '../processes.mjs'
import { f, saidCpu, saidInterval, say, verdict } from './report.mjs'

const STEPS = 5

/** The peers that start here, each on a database of its own. */
export const startPeers = async (servers, wanted = DURABLE_PEERS) => {
  const peers = []
  for (const name of wanted) {
    const peer = await startPeer(name, await servers.createDatabase(`peer_${name}`))
    if (peer !== undefined) peers.push(peer)
  }
  if (peers.length === 0) say('  no peer runs here: only Baton is measured')
  return peers
}

/** What a peer gave, and the CPU of its processes and of the database for a step. */
const measurePeer = async (peer, { runs, concurrency, database }) => {
  const pids = { [peer.name]: peer.pid, ...(database === undefined ? {} : { database }) }
  const before = cpuOfTrees(pids)
  const figures = await peer.measure(runs, concurrency)
  return { ...figures, cpu: grownBy(before, cpuOfTrees(pids), STEPS * runs) }
}

/** The best by the median of all rounds, and the ratio of Baton to it in each. `of` says what counts; more is better. */
const besideBest = (rounds, names, of) => {
  const medians = names.map((name) => ({ name, value: median(rounds.map(({ others }) => of(others[name]))) }))
  const best = medians.toSorted((left, right) => right.value - left.value)[0]
  return { name: best.name, ratios: rounds.map(({ baton, others }) => of(baton) / of(others[best.name])) }
}

/** Plays rounds at one concurrency. `baton.measure(runs, concurrency)` gives figures with the CPU of all its processes for a step. */
export const playRounds = async ({ baton, peers, pairs, runs, peerRuns, concurrency, database }) => {
  const rounds = []
  for (let pair = 1; pair <= pairs; pair += 1) {
    const round = { baton: await baton.measure(runs, concurrency), others: {} }
    for (const peer of peers) round.others[peer.name] = await measurePeer(peer, { runs: peerRuns, concurrency, database })
    rounds.push(round)
    const others = Object.entries(round.others).map(
      ([name, { runsPerSecond, p50Ms }]) => `${name} ${f(runsPerSecond, 0)} (p50 ${f(p50Ms, 1)})`,
    )
    say(
      `  pair ${pair}: baton ${f(round.baton.runsPerSecond, 0)} runs/s (p50 ${f(round.baton.p50Ms, 1)} ms, p99 ${f(round.baton.p99Ms, 1)}, tracing ${f(round.baton.tracingLagMs, 0)} ms behind the last answer)${others.length === 0 ? '' : `; ${others.join('; ')}`}`,
    )
  }
  return rounds
}

/** One row of the table: how many times the best peer. */
export const sayThroughput = (what, rounds, peers, { must, goal }) => {
  const names = peers.map(({ name }) => name)
  if (names.length === 0) {
    say(`SKIP ${what}: ${f(median(rounds.map(({ baton }) => baton.runsPerSecond)), 0)} runs/s; nothing to compare it with`)
    return undefined
  }
  const { name, ratios } = besideBest(rounds, names, ({ runsPerSecond }) => runsPerSecond)
  const interval = ratioInterval(ratios)
  const ok = interval.mean >= must
  say(
    `${verdict(ok)} ${what}: ${saidInterval(interval, ratios.length)} times ${name}, the best of ${names.join(', ')}; must ${must}, goal ${goal}`,
  )
  return ok
}

/** One at a time: milliseconds for a step, and beside the best peer. */
export const sayLatency = (what, rounds, peers, { must, goal }) => {
  const own = median(rounds.map(({ baton }) => baton.stepP50Ms))
  const ok = own <= must
  const names = peers.map(({ name }) => name)
  const beside =
    names.length === 0
      ? ''
      : (() => {
          const { name, ratios } = besideBest(rounds, names, ({ stepP50Ms }) => 1 / stepP50Ms)
          return `; ${saidInterval(ratioInterval(ratios.map((ratio) => 1 / ratio)), ratios.length)} times as long as ${name}, the best of ${names.join(', ')}`
        })()
  say(`${verdict(ok)} ${what}: ${f(own)} ms a step p50${beside}; must ${must} ms, goal ${goal}`)
  return ok
}

/** CPU of a step: our processes against the limit where there is one, the others beside. */
export const sayCpu = (what, rounds, own, limits) => {
  const middle = (names, of) => Object.fromEntries(names.map((name) => [name, median(rounds.map((round) => of(round)[name]))]))
  const cpu = middle(Object.keys(rounds[0].baton.cpu), ({ baton }) => baton.cpu)
  const ours = own.reduce((sum, name) => sum + cpu[name], 0)
  const ok = limits === undefined ? undefined : ours <= limits.must
  const bound = limits === undefined ? '' : `; must ${limits.must}, goal ${limits.goal}`
  say(`${limits === undefined ? '    ' : verdict(ok)} ${what}: ${f(ours)} CPU-ms a step in our processes${bound}`)
  say(`     CPU-ms a step of every process: ${saidCpu(cpu)}`)
  for (const name of Object.keys(rounds[0].others))
    say(`     ${name}: ${saidCpu(middle(Object.keys(rounds[0].others[name].cpu), ({ others }) => others[name].cpu))}`)
  return ok
}
