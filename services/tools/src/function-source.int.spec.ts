import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { readFunctions } from './config/functions.config.ts'
import { readSection } from './config/section.ts'
import { openFunctions } from './function-source.ts'

const FILE = `
const any = { safeParse: (data) => ({ success: true, data }) }
const of = (name, more = {}) => ({ name, effect: 'read', timeoutMs: 2000, input: any, output: any, run: () => name, about: 'own', ...more })
export const tools = [of('web/search'), of('shop/price', { isolated: true }), of('shop/stock'), of('demo/echo')]
`
let dir = ''
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'baton-functions-'))
  await mkdir(join(dir, 'shop', 'functions'), { recursive: true })
  await writeFile(join(dir, 'shop', 'functions', 'shop.mjs'), FILE)
})
afterAll(() => rm(dir, { recursive: true }))

const open = (yaml = '') =>
  openFunctions({ flowsDir: dir, indexes: { search: () => Promise.resolve([]) } }, readFunctions(readSection(yaml, 'tools.yaml')))

describe('functions as a source (C3)', () => {
  it('F2: a reference tool gives way to a function of its name, a built-in one does not', async () => {
    const { source, problems } = await open()
    expect(await source.find('web/search')).toMatchObject({ about: 'own' })
    expect(await source.find('code/run')).toBeDefined()
    expect((await source.find('demo/echo'))?.about).not.toBe('own')
    expect(problems).toMatchObject([{ reason: 'a tool called demo/echo is there already' }])
    await source.close?.()
  })

  it('F1: runs in a thread where it or the configuration says so', async () => {
    const { source } = await open('isolated: shop/stock')
    const close = async (name: string): Promise<boolean> => 'close' in ((await source.find(name)) ?? {})
    expect([await close('shop/price'), await close('shop/stock'), await close('web/search')]).toEqual([true, true, false])
    await source.close?.()
  })

  it('database/query is there where a database is', async () => {
    expect(await (await open()).source.find('database/query')).toBeUndefined()
    expect(await (await open('database: { url: { env: SHOP_URL } }')).source.find('database/query')).toMatchObject({ private: true })
  })
})
