// A map over 1,000 items and its join on Kafka and PostgreSQL, every service a process of its own: what routing pays for a branch.
import { startDistributed } from '../distributed.mjs'
import { median } from '../figures.mjs'
import { grownBy } from '../processes.mjs'
import { startServers } from '../../proof/system.mjs'
import { f, saidCpu, say, verdict } from './report.mjs'

const ITEMS = 1_000
const MUST = 0.5
const SERVICES = { worker: ['tools'], tracing: ['tracing'], routing: ['routing'], gateway: ['gateway'] }
const items = Array.from({ length: ITEMS }, (_, v) => v)
const JOB = { flow: 'bench/fan-out', input: () => ({ items }), right: ({ count }) => count === ITEMS }

export const runFanOut = async ({ pairs, runs }) => {
  const each = Math.max(2, Math.ceil(runs / 300))
  say(`\na map over ${ITEMS} items at once and its join; every service a process of its own; ${each} runs in each round, one at a time`)
  const servers = await startServers()
  let system
  try {
    system = await startDistributed(servers, { services: SERVICES })
    const load = await system.load(JOB)
    await load.measure({ count: 2 * each, concurrency: 1 })
    const rounds = []
    for (let pair = 1; pair <= pairs; pair += 1) {
      const before = system.allCpuMs()
      const { p50Ms } = await load.measure({ count: each, concurrency: 1 })
      const cpu = grownBy(before, system.allCpuMs(), ITEMS * each)
      rounds.push(cpu)
      say(`  round ${pair}: ${f(p50Ms, 0)} ms a run; CPU-ms a branch: ${saidCpu(cpu, 3)}`)
    }
    const routing = median(rounds.map((cpu) => cpu.routing))
    const ok = routing <= MUST
    say(`${verdict(ok)} fan-out of ${ITEMS} and join: ${f(routing, 3)} CPU-ms of routing a branch (median of ${pairs}); must ${MUST}`)
    return [ok]
  } finally {
    await system?.stop()
    await servers.stop()
  }
}
