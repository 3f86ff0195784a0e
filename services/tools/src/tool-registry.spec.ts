import { BUILT_IN_TOOLS } from './built-in.ts'
import { BUILT_IN_TOOL_NAMES } from './built-in-names.ts'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findFunctions } from './function-files.ts'
import { checkNames, createRegistry } from './tool-registry.ts'
import { fixedSource } from './tool-source.ts'
import { echo, noOp } from './functions/demo.ts'

const anySchema = '{ safeParse: (data) => ({ success: true, data }) }'
const tool = (name: string): string =>
  `export const made = { name: '${name}', effect: 'read', timeoutMs: 100, input: ${anySchema}, output: ${anySchema}, run: async () => '${name}' }\nexport default made\n`

describe('the registry of tools', () => {
  it('has the built-in tools under the names that are known without loading them', () => {
    const reference = ['code/run', 'code/program', 'web/search', 'payments/charge', 'mail/send']
    expect([...BUILT_IN_TOOLS.map(({ name }) => name), ...reference].sort()).toEqual(BUILT_IN_TOOL_NAMES)
  })

  let flows: string
  beforeAll(async () => {
    flows = await mkdtemp(join(tmpdir(), 'baton-flows-'))
    await mkdir(join(flows, 'shop', 'tools'), { recursive: true })
    await mkdir(join(flows, 'plain'))
    await writeFile(join(flows, 'shop', 'tools', 'stock.mjs'), tool('shop/stock'))
    await writeFile(join(flows, 'shop', 'tools', 'twin.mjs'), tool('demo/echo'))
    await writeFile(join(flows, 'shop', 'tools', 'broken.mjs'), 'export const x = }')
    await writeFile(join(flows, 'shop', 'tools', 'empty.mjs'), 'export const x = 1')
    await writeFile(join(flows, 'shop', 'tools', 'notes.txt'), 'not a tool')
  })
  afterAll(() => rm(flows, { recursive: true, force: true }))

  it('C3: has the built-in tools and those beside a flow', async () => {
    const { found } = await findFunctions(flows, new Set(['demo/echo', 'demo/no_op']))
    const registry = createRegistry([
      fixedSource('built in', [echo, noOp]),
      fixedSource(
        'flows',
        found.map(({ tool: made }) => made),
      ),
    ])
    expect((await registry.list()).map(({ name }) => name)).toEqual(['demo/echo', 'demo/no_op', 'shop/stock'])
    expect((await registry.find('shop/stock')).effect).toBe('read')
    await expect(registry.find('shop/none')).rejects.toMatchObject({ code: 'tool.unknown' })
  })

  it('N1, N2: a name that is taken and a file that cannot be loaded are reported and cost nothing else', async () => {
    const { problems } = await findFunctions(flows, new Set(['demo/echo']))
    expect(problems.map(({ file }) => file.split('/').at(-1))).toEqual(['broken.mjs', 'empty.mjs', 'twin.mjs'])
    expect((await findFunctions(join(flows, 'none'), new Set())).problems).toEqual([])
  })

  it('T1: two tools of one name are refused', () => {
    expect(() => checkNames([echo, echo])).toThrow(expect.objectContaining({ code: 'config.invalid' }))
  })
})
