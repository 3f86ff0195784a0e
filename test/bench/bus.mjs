// The bus on a real broker: what lanes give beside plain kafkajs in the same run, and what a tenant or a class feels when others flood.
// Ratios count; absolute speeds move with the machine.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { kafkaAvailable, startKafka } from '@baton/testing/servers'
import { fairness } from './bus/fairness.mjs'
import { hop } from './bus/hop.mjs'
import { overload } from './bus/overload.mjs'
import { small } from './bus/small.mjs'
import { throughput } from './bus/throughput.mjs'

const PARTS = { throughput, hop, small, fairness, overload }

export const main = async (args) => {
  const { values } = parseArgs({
    args,
    options: { only: { type: 'string', default: Object.keys(PARTS).join(',') }, rounds: { type: 'string', default: '3' } },
  })
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
      const lines = await part(brokers, { rounds: Number(values.rounds) })
      for (const { what, value, goal, met } of lines) {
        if (met === false) missed += 1
        const verdict = met === undefined ? '' : met ? '  met' : '  MISSED'
        console.log(`${name.padEnd(11)} ${what.padEnd(52)} ${value.padEnd(30)}${goal === undefined ? '' : `goal ${goal}`}${verdict}`)
      }
    }
  } finally {
    await server?.stop()
    await rm(dir, { recursive: true, force: true })
  }
  return missed === 0 ? 0 : 1
}
