// A process to be killed by a record: it owns a log and dies, as by a segmentation fault, when the flow `spec/deadly` evaluates anything.
import { join } from 'node:path'
import { openPglite } from '@baton/store'
import { changedPrograms, openWorld, until } from './world.fixture.ts'

const [, , dir = '', requests = ''] = process.argv
const FLOW = `
flow: spec/harmless
steps:
  - same: { set: =input.v }
`

const db = await openPglite({ dir: join(dir, 'db') })
const world = await openWorld(db, { keepIn: dir })
if (requests !== '') {
  const harmless = await world.publishFlow(FLOW)
  const deadly = await world.publishFlow(FLOW.replace('harmless', 'deadly'))
  for (const letter of requests) await world.begin(letter === 'x' ? deadly : harmless, { partition: 0 })
}
const own = await world.process()
const programs = changedPrograms(own, (program) =>
  program.plan.flow === 'spec/deadly' ? { ...program, value: () => process.abort() } : program,
)
await world.loop(own, { programs })
await until(async () => {
  const { next } = await world.lease(0)
  return next > 0 && next === (await world.logEnd(0))
})
await world.close()
await db.close()
