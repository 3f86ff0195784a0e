// Approvals in front of the writes of recorded trajectories, through the whole system in one process.
import { airlineData, playAirline, rowsOf } from '../../test/proof/airline.mjs'

export const name = 'airline'

export const run = async ({ quick, shared }) => {
  const { file, missing } = airlineData(shared)
  if (missing !== undefined) return [{ what: 'recorded trajectories', must: '', seen: 'skipped', ok: undefined, note: missing }]
  return rowsOf(await playAirline({ file, limit: quick ? 40 : 200 }))
}
