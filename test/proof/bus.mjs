// `npm run proof:bus`: what becomes of messages when brokers die, the network swallows, disks fill, clocks jump, members sleep, messages are
// wrong, or somebody floods.
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { kafkaAvailable } from '@baton/testing/servers'
import { CASES as SINGLE } from './bus/cases.mjs'
import { CASES as CLUSTER } from './bus/cluster-cases.mjs'
import { CASES as MACHINE } from './bus/machine-cases.mjs'
import { CASES as MEMBERS } from './bus/member-cases.mjs'
import { WORLDS } from './bus/world.mjs'
import { createChecks } from './checks.mjs'
import { raiseLoopback } from './takeover-network.mjs'

const WORLD_OF = [
  [SINGLE, 'single'],
  [MEMBERS, 'single'],
  [CLUSTER, 'cluster'],
  [MACHINE, 'bare'],
]
const CASES = Object.fromEntries(
  WORLD_OF.flatMap(([cases, world]) => Object.entries(cases).map(([name, one]) => [name, { world, name, ...one }])),
)
const COLUMNS = ['published', 'refused', 'lost', 'twice', 'disorder']
const TITLE = 58
const HELP = `npm run proof:bus [-- --only ${Object.keys(CASES).join(',')}] [--quick]

Faults on real brokers, and what became of the messages: injected | published | refused | lost | handled twice | first handled out of order |
recovery time. A message may be handled twice (at least once is the promise); it may never be lost. --quick leaves the cluster, the disk and
the clock of the broker out. What this machine cannot do (namespaces and loop devices need root on Linux, a clock of its own needs a C
compiler) is skipped with its reason.`

const line = (cells, recovery, note = '') => {
  const [title, ...rest] = cells
  console.log(`${title.padEnd(TITLE)}${rest.map((cell) => String(cell).padStart(10)).join('')}${recovery.padStart(12)}  ${note}`)
}

const report = (check, { name, title }, row) => {
  const recovery = row.recoveryMs === undefined ? '-' : `${(row.recoveryMs / 1_000).toFixed(2)} s`
  line([title, ...COLUMNS.map((column) => row[column])], recovery, row.note)
  check(`${name}: nothing is lost`, row.lost === 0)
  for (const [what, ok] of row.promises) check(`${name}: ${what}`, ok)
}

/** Cases of one world one after the other, then the next world: brokers are started when they are needed. */
const play = async ({ names, dir, namespaces, check }) => {
  for (const world of Object.keys(WORLDS)) {
    const cases = names.map((name) => CASES[name]).filter((one) => one.world === world)
    const able = cases.filter((one) => {
      const missing = one.missing?.({ namespaces })
      if (missing !== undefined) console.log(`SKIP ${one.title}: ${missing}`)
      return missing === undefined
    })
    if (able.length === 0) continue
    const opened = await WORLDS[world](dir, { namespaces: namespaces === 'own' })
    try {
      for (const one of able) report(check, one, await one.run(opened))
    } finally {
      await opened.stop()
    }
  }
}

const namesOf = ({ only, quick }) => {
  const names = only?.split(',') ?? Object.keys(CASES).filter((name) => !quick || CASES[name].slow !== true)
  const unknown = names.find((name) => CASES[name] === undefined)
  if (unknown !== undefined) throw new Error(`there is no ${unknown}; there are ${Object.keys(CASES).join(', ')}`)
  return names
}

export const main = async (args) => {
  const { values } = parseArgs({
    args,
    options: { only: { type: 'string' }, quick: { type: 'boolean', default: false }, help: { type: 'boolean', default: false } },
  })
  if (values.help) {
    console.log(HELP)
    return 0
  }
  const names = namesOf(values)
  const available =
    process.env['KAFKA_BROKERS'] === undefined ? kafkaAvailable() : { ok: false, reason: 'it kills a broker of its own, not yours' }
  if (!available.ok) {
    console.log(`proof:bus skipped: ${available.reason}`)
    return 0
  }
  const namespace = process.env['BATON_PROOF_NAMESPACE'] ?? 'started without scripts/proof-bus.mjs'
  if (namespace === 'own') raiseLoopback()
  const dir = await mkdtemp(join(tmpdir(), 'baton-proof-bus-'))
  await chmod(dir, 0o755)
  const { check, end } = createChecks()
  line(['injected', ...COLUMNS], 'recovery')
  try {
    await play({ names, dir, namespaces: namespace, check })
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
  return end()
}
