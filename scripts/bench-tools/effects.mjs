// Crash loop around calls of tools with effects, in one process (the proof does the same on Kafka and PostgreSQL too).
import { crashLoop, rowsOf } from '../../test/proof/effects.mjs'

export const name = 'effects'

export const run = async ({ quick }) =>
  rowsOf(await crashLoop({ runs: quick ? 60 : 500, kills: quick ? 3 : 12, where: 'embedded' }), 'embedded')
