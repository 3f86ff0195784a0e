// The tools on a flow that is published: its files are elsewhere, and they say the same as of the files.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { startBaton, type BatonProcess } from './baton-process.ts'
import { makeHome, type Home } from './system.ts'

jest.setTimeout(120_000)
const root = join(import.meta.dirname, '../..')
const FLOW = `flow: demo/tools@1.0.0
limits: { time: 30s }
params:
  send: { type: number, default: 0.8, min: 0, max: 1 }
input: { text: string }
steps:
  - classify:
      prompt: Which intent has {{ input.text }}?
      returns: { intent: refund | other, confidence: 0..1 }
      timeout: 5s
      gate:
        - { when: it.confidence >= params.send, then: next }
        - { else: { human: { queue: desk, sla: 1h } } }
output: { intent: =classify.intent }
`

let home: Home
let system: BatonProcess
beforeAll(async () => {
  home = await makeHome({ flows: { 'tools/flow.yaml': FLOW } })
  system = await startBaton(home)
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

describe('tools on a published flow', () => {
  it.each([['graph', '--format', 'svg'], ['graph', '--format', 'mermaid'], ['explain', '--json'], ['types']])(
    'baton %s %s says the same as of the file',
    (command, ...options) => {
      const published = baton(command, 'demo/tools', ...options)
      expect(published).not.toMatch(/^exit/)
      expect(published).toBe(baton(command, join(home.flowsDir, 'tools'), ...options))
    },
  )

  it('baton diff sees that nothing differs, and finds versions by alias', () => {
    expect(baton('diff', 'demo/tools@stable', join(home.flowsDir, 'tools'))).toContain('the plan is the same')
    expect(baton('diff', 'demo/tools@1.0.0', 'demo/tools@stable')).toContain('the plan is the same')
  })

  it('reads the flows folder when no system is running, and says so', () => {
    const { NODE_OPTIONS: _, ...env } = process.env
    const options = {
      encoding: 'utf8',
      cwd: root,
      env: { ...env, BATON_URL: 'http://127.0.0.1:9', BATON_FLOWS_DIR: home.flowsDir },
    } as const
    const ran = spawnSync(process.execPath, [join(root, 'cli/bin/baton.mjs'), 'graph', 'demo/tools', '--format', 'svg'], options)
    expect(ran).toMatchObject({
      status: 0,
      stdout: expect.stringContaining('</svg>'),
      stderr: expect.stringContaining('no system is running'),
    })
  })

  it('says when there is no such flow', () => {
    expect(baton('graph', 'demo/nothing')).toMatch(/^exit 1: flow\.unknown/)
  })
})
