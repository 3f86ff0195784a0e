import { openKafkaBus } from '@baton/bus'
import { topicManifest } from '@baton/contracts'
import { openLoad } from './load.mjs'
import { cpuMsOf } from './figures.mjs'
import { startBaton, startServers } from '../proof/system.mjs'
setTimeout(() => { console.log('TIMEOUT'); process.exit(1) }, 110000).unref()
const servers = await startServers(); const { kafka, postgres } = servers
console.log('servers', kafka.brokers, postgres.url)
const env = { KAFKA_BROKERS: kafka.brokers.join(','), DATABASE_URL: postgres.url, BATON_FLOWS_DIR: import.meta.dirname + '/flows', BATON_EVENTS_PARTITIONS: '6', BATON_KEEP_CONTENT: 'false', LOG_LEVEL: 'warn' }
const procs = {}; for (const n of (process.env.PROCS ?? 'tools,routing,gateway').split(',')) { procs[n] = await startBaton(['--only', n.replaceAll('+', ',')], { env, quiet: false }); console.log(n, procs[n].urls) }
const bus = await openKafkaBus({ brokers: kafka.brokers, clientId: 'bench', topicPrefix: '', topics: topicManifest({ eventsPartitions: 6 }), ensureTopics: false })
const load = await openLoad(bus)
const cpu = () => Object.fromEntries(Object.entries(procs).map(([n, p]) => [n, cpuMsOf(p.pid)]))
const m = async (n, c) => { const b = cpu(); const r = await load.measure({ count: n, concurrency: c }); const a = cpu(); console.log(`c=${c} ${r.runsPerSecond.toFixed(0)} runs/s step p50 ${r.stepP50Ms.toFixed(2)} p99 run ${r.p99Ms.toFixed(1)}`, Object.entries(a).map(([k, v]) => `${k} ${((v - b[k]) / n / 5).toFixed(3)}`).join(' '), 'cpu-ms/step') }
await m(5, 1); await m(1000, 32); await m(2000, 32); await m(200, 1)
await load.close(); await bus.close(); for (const p of Object.values(procs)) await p.kill('SIGTERM'); await servers.stop(); process.exit(0)
