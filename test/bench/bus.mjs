// The bus on a real broker: what lanes give beside plain kafkajs in the same run, and what a tenant or a class feels when others flood.
// Ratios count; absolute speeds move with the machine.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { kafkaAvailable, startKafka } from '@baton/testing/servers'
import { fairness } from './bus/fairness.mjs'
import { hop } from './bus/hop.mjs'
import { othersShare } from './bus/machine.mjs'
import { overload } from './bus/overload.mjs'
import { recovery } from './bus/recovery.mjs'
import { small } from './bus/small.mjs'
import { throughput } from './bus/throughput.mjs'

const PARTS = { throughput, hop, small, fairness, overload, recovery }
/** From here on a figure of time says more of the others than of the bus. */
const QUIET_SHARE = 0.15
const HELP = `npm run bench:bus [-- --only ${Object.keys(PARTS).join(',')}] [--rounds 5] [--quick]

Rounds are interleaved pairs (alone, then beside the load; plain kafkajs, then lanes); the median is judged, least and most are beside it. What
others took of the machine meanwhile is printed with each part: no goal is loosened for it, but on a busy machine a miss is no verdict.`

export const main = async (args) => {
  const { values } = parseArgs({
    args,
    options: {
      only: { type: 'string', default: Object.keys(PARTS).join(',') },
      rounds: { type: 'string', default: '5' },
      quick: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) {
    console.log(HELP)
    return 0
  }
  const available = kafkaAvailable()
  if (!available.ok) {
    console.log(`bench:bus skipped: ${available.reason}`)
    return 0
  }
  const dir = await mkdtemp(join(tmpdir(), 'baton-bench-bus-'))
  const given = process.env['KAFKA_BROKERS']?.split(',')
  const server = given === undefined ? await startKafka({ dir, heapMb: 768 }) : undefined
  const brokers = given ?? server.brokers
  let missed = 0
  try {
    for (const name of values.only.split(',')) {
      const part = PARTS[name]
      if (part === undefined) throw new Error(`there is no ${name}; there are ${Object.keys(PARTS).join(', ')}`)
      const others = othersShare(() => [process.pid, ...(server === undefined ? [] : [server.pid])])
      const lines = await part(brokers, { rounds: values.quick ? 1 : Number(values.rounds), server })
      const share = others()
      for (const { what, value, goal, met } of lines) {
        if (met === false) missed += 1
        const verdict = met === undefined ? '' : met ? '  met' : '  MISSED'
        console.log(`${name.padEnd(11)} ${what.padEnd(55)} ${value.padEnd(40)}${goal === undefined ? '' : `goal ${goal}`}${verdict}`)
      }
      if (share !== undefined) {
        const busy = share > QUIET_SHARE ? ': not quiet' : ''
        console.log(`${name.padEnd(11)} ${'others took of the machine meanwhile'.padEnd(55)} ${(100 * share).toFixed(0)} %${busy}`)
      }
    }
  } finally {
    await server?.stop()
    await rm(dir, { recursive: true, force: true })
  }
  return missed === 0 ? 0 : 1
}
