import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from '@jest/globals'
import { cliReferenceFile } from './cli-reference.ts'

const page = async (): Promise<string> => (await cliReferenceFile()).get('cli.md') ?? ''
const user = process.env['USER']

describe('docs/generated/cli.md (I5)', () => {
  afterEach(() => {
    if (user === undefined) delete process.env['USER']
    else process.env['USER'] = user
  })

  it('is what the commands say now (else run `npm run build && npm run gen`)', async () => {
    expect(readFileSync(join(import.meta.dirname, '../../../docs/generated/cli.md'), 'utf8')).toBe(await page())
  })

  it('V1: is the same for every user', async () => {
    process.env['USER'] = 'ada'
    const first = await page()
    delete process.env['USER']
    expect(await page()).toBe(first)
  })

  it('has a section for each command, those below others included', async () => {
    expect((await page()).match(/^## baton.*$/gm)).toEqual(
      expect.arrayContaining(['## baton', '## baton up', '## baton reviews decide', '## baton dlq redrive']),
    )
  })
})
