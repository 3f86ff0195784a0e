import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals'
import { TOPICS } from '@baton/contracts'
import { openPglite, type Database } from '@baton/store'
import { openWorld, until, type World } from './world.fixture.ts'

jest.setTimeout(8_000)

const ONE_TOOL = `
flow: spec/one
steps:
  - first: { tool: spec/one, with: { v: =input.v } }
output: { v: =first.n }
`
const DEAD_LETTERS = 'baton.routing.dlt'
const HOME = 0
const ELSEWHERE = 1

let db: Database
let world: World
beforeAll(async () => {
  db = await openPglite()
}, 60_000)
afterAll(() => db.close())
beforeEach(async () => {
  world = await openWorld(db)
})
afterEach(() => world.close())

const begin = async (): Promise<string> => {
  const flow = await world.publishFlow(ONE_TOOL)
  await world.loop(await world.process())
  const runId = await world.begin(flow, { partition: HOME })
  await until(async () => (await world.records('baton.tools.commands')).length === 1)
  return runId
}
const answerElsewhere = (runId: string): Promise<unknown> =>
  world.bus.publish([
    {
      topic: TOPICS.events,
      partition: ELSEWHERE,
      key: runId,
      headers: { ce_type: 'baton.step.completed.v1' },
      value: Buffer.from(JSON.stringify({ attemptId: `${runId}/first/1`, output: { n: 7 } })),
    },
  ])

describe('an answer on the partition of other runs', () => {
  it.each([
    ['before its run was stored', false],
    ['after its run was stored and has left memory', true],
  ])('F1, F2: %s is appended to the right one, where alone it counts', async (_when, stored) => {
    const runId = await begin()
    if (stored) await until(async () => (await world.lease(HOME)).next === (await world.logEnd(HOME)))
    await answerElsewhere(runId)
    expect(await world.resultOf(runId)).toMatchObject({ status: 'completed', output: { v: 7 } })
    const moved = (await world.records(TOPICS.events)).filter(({ headers }) => headers['x-baton-moved-from'] !== undefined)
    expect(moved).toMatchObject([{ partition: HOME, key: runId }])
    const row = await db.query('select partition from run_states where run_id = $1', [runId])
    expect(row.rows).toEqual([{ partition: HOME }])
    expect(await world.records(DEAD_LETTERS)).toEqual([])
  })

  it('F2, R8: of a run that is nowhere becomes a dead letter after one move', async () => {
    await begin()
    await answerElsewhere('run_nobody')
    await until(async () => (await world.records(DEAD_LETTERS)).length === 1)
    expect((await world.records(TOPICS.events)).filter(({ key }) => key === 'run_nobody').length).toBeLessThanOrEqual(2)
  })
})
