// The life of a flow on the command line: packed, published, moved, rolled back, tuned, over a restart (MISSION I5).
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { startBaton, type BatonProcess } from './baton-process.ts'
import { makeHome, type Home } from './system.ts'

jest.setTimeout(120_000)
const root = join(import.meta.dirname, '../..')
const flowOf = (version: string): string => `flow: demo/desk@${version}
params:
  send: { type: number, default: 0.8, min: 0.5, max: 1 }
input: { text: string }
steps:
  - reply: { set: { version: "${version}", send: =params.send } }
output: =reply
`

let home: Home
let system: BatonProcess
beforeAll(async () => {
  home = await makeHome({ flows: { 'desk/flow.yaml': flowOf('1.0.0') } })
  system = await startBaton(home, { BATON_ENVIRONMENT: 'staging' })
})
afterAll(async () => {
  await system.stop(5_000)
  await home.remove()
})

const baton = (...args: readonly string[]): string => {
  const { NODE_OPTIONS: _, ...env } = process.env
  const ran = spawnSync(process.execPath, [join(root, 'cli/bin/baton.mjs'), ...args], {
    encoding: 'utf8',
    cwd: root,
    env: { ...env, BATON_URL: system.url },
  })
  return ran.status === 0 ? ran.stdout : `exit ${String(ran.status)}: ${ran.stderr}`
}
const output = (flow: string): unknown => JSON.parse(baton('run', flow, '--input', '{"text":"hi"}'))

describe('the life of a flow', () => {
  it('is packed, published, moved, rolled back and pinned', () => {
    const file = join(home.dataDir, '..', 'flow.yaml')
    const pack = join(home.dataDir, '..', 'desk.tgz')
    writeFileSync(file, flowOf('2.0.0'))
    const packed = baton('flows', 'pack', file, '--out', pack)
    const pin = /demo\/desk@sha256:[0-9a-f]{64}/.exec(packed)?.[0] ?? packed
    expect(baton('flows', 'publish', pack)).toContain('demo/desk@2.0.0 published as stable')
    expect(output('demo/desk')).toMatchObject({ output: { version: '2.0.0' } })
    expect(baton('flows', 'alias', 'demo/desk', 'stable@1.0.0', '--by', 'ada')).toContain('points to 1.0.0')
    expect(output('demo/desk')).toMatchObject({ output: { version: '1.0.0' } })
    expect(output(pin)).toMatchObject({ output: { version: '2.0.0' } })
    expect(baton('flows', 'alias', 'demo/desk', '--rollback')).toContain('back from 1.0.0 to 2.0.0')
    expect(output('demo/desk')).toMatchObject({ output: { version: '2.0.0' } })
    expect(baton('flows', 'alias', 'demo/desk', '--history')).toMatch(/rollback[^]*move\s+ada[^]*publish[^]*publish\s+start/)
  })

  it('has params that are set, refused outside their range, and audited', () => {
    expect(baton('params', 'set', 'demo/desk', 'send=90%', '--env', 'staging', '--by', 'pia', '--reason', 'trial')).toContain('1 changed')
    expect(output('demo/desk')).toMatchObject({ output: { send: 0.9 } })
    expect(baton('params', 'set', 'demo/desk', 'send=2')).toContain('params.invalid: send is 2, above its maximum 1')
    expect(baton('params', 'get', 'demo/desk', '--tenant', 'acme')).toMatch(/send\s+0.9\s+environment\s+0.8/)
    expect(baton('params', 'history', 'demo/desk')).toMatch(/send\s+-\s+0.9\s+all\s+staging\s+pia\s+trial/)
  })

  it('a restart undoes neither the rollback nor the params', async () => {
    baton('flows', 'alias', 'demo/desk', 'stable@2.0.0', '--by', 'ada')
    await system.stop(10_000)
    system = await startBaton(home, { BATON_ENVIRONMENT: 'staging' })
    expect(output('demo/desk')).toMatchObject({ output: { version: '2.0.0', send: 0.9 } })
  })
})
