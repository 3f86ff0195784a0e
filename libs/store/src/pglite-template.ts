// A fresh data directory without initdb: initdb takes 3 s and more, unpacking a packed directory a fraction of one.
//   T1. A data directory appears whole or not at all: it is filled under another name and renamed.
//   T2. What is there is never overwritten; a directory that is no data directory is refused.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { mkdir, readdir, readFile, rename, rm, rmdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { brotliDecompressSync } from 'node:zlib'
import { Fault } from '@baton/contracts/fault'
import { readTar } from './tar.ts'

/** Packed by `scripts/pack-pglite.mjs` from the PGlite version that is installed. */
const ARCHIVE = new URL('../assets/pglite-18.tar.br', import.meta.url)

/** The packed fresh data directory as a tar archive. */
export const templateArchive = async (): Promise<Buffer> => brotliDecompressSync(await readFile(ARCHIVE))

/** Makes `dir` a data directory if it is absent or empty. Throws `store.damaged` when it holds something else (T2). */
export const ensureDataDir = async (dir: string): Promise<void> => {
  if (existsSync(join(dir, 'PG_VERSION'))) return
  const there = await readdir(dir).catch(() => [])
  if (there.length > 0) throw new Fault('store.damaged', `${dir} is not a data directory: PG_VERSION is missing`, { dir })
  const filling = `${dir}.new-${process.pid}`
  await rm(filling, { recursive: true, force: true })
  await mkdir(filling, { recursive: true, mode: 0o700 })
  await unpack(filling)
  await mkdir(dirname(dir), { recursive: true })
  // An empty directory may be in the way; renaming onto it is not possible everywhere.
  await rmdir(dir).catch(() => undefined)
  await rename(filling, dir) // T1
}

// Synchronously: a thousand small files through the thread pool take several times as long.
const unpack = async (dir: string): Promise<void> => {
  for (const { path, kind, content } of readTar(await templateArchive())) {
    if (kind === 'folder') mkdirSync(join(dir, path), { recursive: true, mode: 0o700 })
    else writeFileSync(join(dir, path), content, { mode: 0o600 })
  }
}
