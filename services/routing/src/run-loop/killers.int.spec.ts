import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { TOPICS, type RunResult } from '@baton/contracts'
import { openPglite } from '@baton/store'
import { openWorld } from './world.fixture.ts'

const PROCESS = fileURLToPath(new URL('./killed.fixture.ts', import.meta.url))
const COMPILE = new URL('./compile.fixture.mjs', import.meta.url).href
const DEATHS_MAX = 6

describe('a record that kills the process (L10)', () => {
  let dir: string
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'baton-killers-'))
  })
  afterAll(() => rm(dir, { recursive: true, force: true }))

  const runOnce = (requests: string): Promise<boolean> =>
    new Promise((resolve) => {
      const child = spawn(process.execPath, ['--conditions=@baton/source', '--no-warnings', '--import', COMPILE, PROCESS, dir, requests], {
        stdio: ['ignore', 'ignore', 'pipe'],
        env: { ...process.env, NODE_OPTIONS: '' },
      })
      child.once('exit', (code) => resolve(code === 0))
    })

  it('K1, K2, K3: does not kill every successor; it is found, passed over and kept, and everything else comes to its end', async () => {
    let deaths = 0
    for (let survived = await runOnce('aaxaa'); !survived && deaths < DEATHS_MAX; survived = await runOnce('')) deaths += 1
    const db = await openPglite({ dir: join(dir, 'db') })
    const world = await openWorld(db, { keepIn: dir })
    const results = new Map((await world.events(TOPICS.results)).map((event) => [event.subject, event.data as RunResult]))
    expect([...results.values()].map(({ flow, status, fault }) => `${flow} ${fault?.code ?? status}`).toSorted()).toEqual([
      'spec/deadly run.quarantined',
      ...Array.from({ length: 4 }, () => 'spec/harmless completed'),
    ])
    expect(await world.records('baton.routing.dlt')).toHaveLength(1)
    // Two that say that something kills, two that say what.
    expect(deaths).toBe(4)
    await world.close()
    await db.close()
  }, 90_000)
})
