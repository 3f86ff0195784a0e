import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { type Json } from '@baton/contracts'
import { isolated } from '../function-source.ts'
import { toolsOfModule } from '../function-files.ts'
import { runTool } from '../tool-run.ts'
import type { Tool, ToolContext } from '../tool.ts'

const FILE = `
const any = { safeParse: (data) => ({ success: true, data }) }
const of = (name, run) => ({ name, effect: 'read', timeoutMs: 2000, input: any, output: any, run })
let calls = 0
export const tools = [
  of('iso/sum', async ({ a, b }, { tenant, flow }) => ({ sum: a + b, tenant, flow, calls: ++calls })),
  of('iso/spin', () => { for (;;) {} }),
  of('iso/eat', () => { const all = []; for (;;) all.push(new Array(1000).fill(Math.random())) }),
  of('iso/env', (_args, context) => ({ secrets: Object.keys(process.env).length, db: typeof context.db })),
  of('iso/fault', () => { throw Object.assign(new Error('closed'), { code: 'tool.failed' }) }),
  of('iso/throw', () => { throw new TypeError('broken') }),
  of('iso/exit', () => process.exit(3)),
]
`
let dir = ''
let tools: ReadonlyMap<string, Tool & { close: () => Promise<void> }>
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'baton-isolated-'))
  const file = join(dir, 'iso.mjs')
  await writeFile(file, FILE)
  const found = await toolsOfModule(file)
  tools = new Map(found.map((tool) => [tool.name, isolated({ tool, file }, { memoryMbMax: 32, threadsMax: 2 })]))
})
afterAll(async () => {
  await Promise.all([...tools.values()].map((tool) => tool.close()))
  await rm(dir, { recursive: true })
})

const context = { tenant: 'default', effectKey: 'k', runId: 'r', flow: 'a/b', path: 'p', nowMs: () => 0 } as unknown as ToolContext
const call = async (name: string, args: Json = {}, timeoutMs = 3_000): Promise<Json> => {
  const tool = tools.get(name)
  if (tool === undefined) throw new Error('no tool')
  return (await runTool(tool, { args, timeoutMs, context, signal: () => new AbortController().signal })).output
}

describe('functions in threads of their own (C3)', () => {
  it('Z3: run with plain arguments and context, one call at a time in a thread that is kept', async () => {
    expect(await call('iso/sum', { a: 1, b: 2 })).toEqual({ sum: 3, tenant: 'default', flow: 'a/b', calls: 1 })
    expect(await call('iso/sum', { a: 1, b: 2 })).toMatchObject({ calls: 2 })
    const many = await Promise.all([1, 2, 3, 4, 5].map((a) => call('iso/sum', { a, b: 0 })))
    expect(many.map((one) => (one as { sum: number }).sum)).toEqual([1, 2, 3, 4, 5])
  })

  it('Z1: one that never ends, eats memory or ends its thread costs its own call and nothing else', async () => {
    await expect(call('iso/spin', {}, 200)).rejects.toMatchObject({ fault: { code: 'tool.timed_out' }, certain: false })
    await expect(call('iso/eat', {}, 8_000)).rejects.toMatchObject({
      fault: { code: 'tool.failed', message: 'iso/eat: it needs more than 32 MB' },
    })
    await expect(call('iso/exit')).rejects.toMatchObject({ fault: { code: 'tool.failed' }, certain: false })
    await expect(call('iso/spin', {}, 200)).rejects.toMatchObject({ fault: { code: 'tool.timed_out' } })
    expect(await call('iso/sum', { a: 1, b: 1 })).toMatchObject({ sum: 2 })
  })

  it('Z2: see neither our environment nor our database', async () => {
    expect(await call('iso/env')).toEqual({ secrets: 0, db: 'undefined' })
  })

  it('U2: their faults say that nothing happened, their errors say nothing', async () => {
    await expect(call('iso/fault')).rejects.toMatchObject({ fault: { code: 'tool.failed', message: 'closed' }, certain: true })
    await expect(call('iso/throw')).rejects.toMatchObject({ fault: { message: 'iso/throw: broken' }, certain: false })
  })
})
