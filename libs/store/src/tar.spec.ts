import { describe, expect, it } from '@jest/globals'
import { templateArchive } from './pglite-template.ts'
import { readTar } from './tar.ts'

describe('the packed data directory', () => {
  it('holds a whole cluster and nothing outside of it', async () => {
    const entries = readTar(await templateArchive())
    const paths = entries.map(({ path }) => path)
    expect(paths).toEqual(expect.arrayContaining(['PG_VERSION', 'global/pg_control', 'postgresql.conf']))
    expect(
      entries
        .find(({ path }) => path === 'PG_VERSION')
        ?.content.toString()
        .trim(),
    ).toBe('18')
    expect(paths.some((path) => path.startsWith('/') || path.includes('..'))).toBe(false)
  })

  it('is refused when cut or changed', async () => {
    const archive = await templateArchive()
    expect(() => readTar(archive.subarray(0, archive.length / 2 + 77))).toThrow(/archive: /)
    const changed = Buffer.from(archive)
    changed[3] = 0x7a
    expect(() => readTar(changed)).toThrow('checksum')
  })
})
