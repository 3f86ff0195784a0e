// What a server does wrong after it has done the work: the step ends in a code, and the work is done once (C2, C4).
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { StepCommand } from '@baton/contracts'
import type { PlanNode } from '@baton/flow/plan'
import type { Platform, WorkContext } from '@baton/service'
import { toolCall } from '../tool-call.consumer.ts'
import { createRegistry } from '../tool-registry.ts'
import { misbehaving, openTestMcp, type TestMcp } from './testing/fixture.ts'

let mcp: TestMcp
let dir: string
beforeAll(async () => {
  mcp = await openTestMcp()
  dir = await mkdtemp(join(tmpdir(), 'baton-mcp-effects-'))
}, 60_000)
afterAll(async () => {
  await mcp.close()
  await rm(dir, { recursive: true, force: true })
})

const logger = { debug() {}, info() {}, warn() {}, error() {} }

/** One delivery of the step, by a process of its own: what it ends in. */
const delivered = async (mistake: string, effects: string): Promise<string> => {
  const source = mcp.open(
    `mcp: { servers: { odd: ${misbehaving(['--effects', effects], `timeout: ${mistake === 'hang' ? '1s' : '20s'}`)} } }`,
  )
  const key = `run_${mistake}/pay/0`
  const node = { id: 'pay', name: 'pay', kind: 'tool', tools: ['odd/after-effect'], with: { lit: {} }, effect: 'write' } as PlanNode
  // What the handler reads of each.
  const platform = { db: mcp.db, stores: mcp.stores, telemetry: { logger }, nowMs: Date.now } as unknown as Platform
  const command = {
    runId: `run_${mistake}`,
    rootRunId: `run_${mistake}`,
    tenant: 'default',
    flow: 'a/b',
    path: 'pay',
    effectKey: key,
    attemptId: `${key}/1`,
  } as StepCommand
  const work = { node, input: { mistake }, nowMs: Date.now, signal: AbortSignal.timeout(60_000), delivery: 1 } as unknown as WorkContext
  try {
    return (await toolCall({ platform, registry: createRegistry([source]) })(command, work)).status
  } catch (error) {
    return (error as { code?: string }).code ?? String(error)
  } finally {
    await source.close()
  }
}

describe('a server that has done the work, and then', () => {
  it.each([
    ['crash', 'tool.unreachable'], // the kit brings the work again
    ['hang', 'tool.timed_out'],
    ['flood', 'tool.unreachable'],
    ['huge', 'tool.unreachable'],
    ['broken-json', 'tool.unreachable'],
    ['error', 'tool.failed'],
    ['not-a-result', 'effect.uncertain'], // the work does not come again: another way must not do it either
  ])(
    'C3: does "%s": whoever comes again asks a person, and nobody does it twice',
    async (mistake, first) => {
      const effects = join(dir, mistake)
      // A redelivery finds another process of ours, and another one of theirs.
      expect([await delivered(mistake, effects), await delivered(mistake, effects)]).toEqual([first, 'effect.uncertain'])
      expect((await readFile(effects, 'utf8')).trim()).toBe(`${mistake} run_${mistake}/pay/0`)
    },
    60_000,
  )
})
