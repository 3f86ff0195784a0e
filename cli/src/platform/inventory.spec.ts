import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { KNOWN_TOOLS_FILE, readInventory } from './inventory.ts'

describe('what an installation has', () => {
  let dir: string
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'baton-inventory-'))
    await mkdir(join(dir, 'flows', 'shop', 'tools'), { recursive: true })
    await writeFile(join(dir, 'flows', 'shop', 'tools', 'stock.ts'), `export const stock = defineTool({ name: 'shop/stock' })`)
  })
  afterAll(() => rm(dir, { recursive: true, force: true }))
  const toolsOf = async (): Promise<readonly string[]> =>
    (await readInventory([], { BATON_CONFIG_DIR: dir, BATON_FLOWS_DIR: join(dir, 'flows') })).tools ?? []

  it('C2: knows tools of MCP servers by the file that `baton tools refresh` wrote, without asking a server', async () => {
    expect(await toolsOf()).toEqual(expect.arrayContaining(['demo/echo', 'shop/stock']))
    expect(await toolsOf()).not.toContain('crm/customer')
    await writeFile(join(dir, KNOWN_TOOLS_FILE), JSON.stringify({ tools: ['crm/customer', 7] }))
    expect(await toolsOf()).toEqual(expect.arrayContaining(['demo/echo', 'shop/stock', 'crm/customer']))
    await writeFile(join(dir, KNOWN_TOOLS_FILE), 'not json')
    expect(await toolsOf()).not.toContain('crm/customer')
  })
})
