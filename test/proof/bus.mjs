// `npm run proof:bus`: what becomes of messages when the broker dies, the network swallows, messages are wrong, or somebody floods.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { kafkaAvailable } from '@baton/testing/servers'
import { CASES } from './bus/cases.mjs'
import { openWorld } from './bus/world.mjs'
import { createChecks } from './checks.mjs'

const COLUMNS = ['published', 'refused', 'lost', 'twice', 'disorder']

export const main = async (args) => {
  const { values } = parseArgs({ args, options: { only: { type: 'string', default: Object.keys(CASES).join(',') } } })
  const available =
    process.env['KAFKA_BROKERS'] === undefined ? kafkaAvailable() : { ok: false, reason: 'it kills a broker of its own, not yours' }
  if (!available.ok) {
    console.log(`proof:bus skipped: ${available.reason}`)
    return 0
  }
  const dir = await mkdtemp(join(tmpdir(), 'baton-proof-bus-'))
  const world = await openWorld(dir)
  const { check, end } = createChecks()
  console.log(`${'injected'.padEnd(50)}${COLUMNS.map((name) => name.padStart(10)).join('')}${'recovery'.padStart(12)}`)
  try {
    for (const name of values.only.split(',')) {
      const { title, run } = CASES[name]
      const row = await run(world)
      const recovery = row.recoveryMs === undefined ? '-' : `${(row.recoveryMs / 1_000).toFixed(2)} s`
      console.log(
        `${title.padEnd(50)}${COLUMNS.map((column) => String(row[column]).padStart(10)).join('')}${recovery.padStart(12)}  ${row.note ?? ''}`,
      )
      check(`${name}: nothing is lost`, row.lost === 0)
      for (const [what, ok] of row.promises) check(`${name}: ${what}`, ok)
    }
  } finally {
    await world.stop()
    await rm(dir, { recursive: true, force: true })
  }
  return end()
}
