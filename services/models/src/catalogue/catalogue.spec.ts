import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from '@jest/globals'
import { createCatalogue, loadCatalogue, ModelsFile, type Surroundings } from './catalogue.ts'

const root = fileURLToPath(new URL('../../../../', import.meta.url))
const surroundings: Surroundings = { flowsDir: join(root, 'flows'), nowMs: () => 0 }
const openai = { baseUrl: 'http://127.0.0.1:9/v1', apiKey: 'secret' }
const price = { input: 1, output: 2 }
const file = ModelsFile.parse({
  models: {
    large: { provider: 'openai', model: 'l', price },
    small: { provider: 'openai', model: 's', price },
    quotes: { provider: 'extractive' },
  },
  routes: { default: ['large'], answer: ['large', 'cheap'], cheap: ['small', 'quotes'], quotes: ['quotes', 'small'] },
})
const names = async (wanted: readonly string[], change: Partial<Surroundings> = {}): Promise<readonly string[]> =>
  (await createCatalogue(file, { ...surroundings, ...change })).resolve(wanted).map(({ name }) => name)

describe('catalogue', () => {
  it('G1: follows routes in order and asks each model once (B2)', async () => {
    expect(await names(['answer', 'large'], { openai })).toEqual(['large', 'small', 'quotes'])
    expect(await names(['quotes'], { openai })).toEqual(['quotes', 'small'])
  })

  it('G2: passes over models without a provider', async () => {
    expect(await names(['answer'])).toEqual(['quotes'])
  })

  it('G2: says what to do when no model is left', async () => {
    await expect(names(['default'])).rejects.toMatchObject({
      code: 'model.none_configured',
      message: expect.stringContaining('OPENAI_BASE_URL'),
    })
    await expect(names(['nobody'])).rejects.toMatchObject({ code: 'model.unknown', message: expect.stringContaining('nobody') })
    expect(await names(['nobody', 'quotes'])).toEqual(['quotes'])
  })

  it('G3: has no place for secrets in the file, and does not show them', async () => {
    expect(ModelsFile.safeParse({ models: { a: { provider: 'openai', model: 'x', price, apiKey: 'k' } } }).success).toBe(false)
    expect(JSON.stringify((await createCatalogue(file, { ...surroundings, openai })).list())).not.toContain('secret')
  })

  it('knows what may cost money (B13)', async () => {
    const catalogue = await createCatalogue(file, { ...surroundings, openai })
    expect([catalogue.spends(['answer']), catalogue.spends(['quotes'])]).toEqual([true, true])
    expect((await createCatalogue(file, surroundings)).spends(['answer'])).toBe(false)
  })

  it('keeps files of models inside the flows folder', () => {
    expect(ModelsFile.safeParse({ models: { a: { provider: 'rules', rules: '../secret.yaml' } } }).success).toBe(false)
  })

  it('reads the committed config/models.yaml', async () => {
    const catalogue = await loadCatalogue(join(root, 'config'), surroundings)
    expect(catalogue.resolve(['strong']).map(({ name }) => name)).toEqual(['intent-classifier'])
    expect(catalogue.resolve(['answer-large', 'extractive']).map(({ name }) => name)).toEqual(['extractive'])
    expect(catalogue.list().find(({ name }) => name === 'gpt')).toMatchObject({
      configured: false,
      routes: expect.arrayContaining(['default', 'answer', 'answer-large', 'fast']),
    })
  })

  it('G2: passes over models whose files this flows folder does not have', async () => {
    const catalogue = await loadCatalogue(join(root, 'config'), { ...surroundings, flowsDir: join(root, 'nowhere') })
    expect(() => catalogue.resolve(['strong'])).toThrow(expect.objectContaining({ code: 'model.none_configured' }))
    expect(catalogue.resolve(['extractive'])).toHaveLength(1)
  })

  it('gives a small catalogue where there is no file', async () => {
    const catalogue = await loadCatalogue(join(root, 'nowhere'), surroundings)
    expect(catalogue.list().map(({ name }) => name)).toEqual(['gpt', 'extractive'])
  })

  it('names the mistake in a file', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'baton-models-'))
    await writeFile(join(folder, 'models.yaml'), 'models: { a: { provider: nobody } }')
    await expect(loadCatalogue(folder, surroundings)).rejects.toMatchObject({ code: 'config.invalid' })
    await rm(folder, { recursive: true })
  })
})
