// Packs the data directory that `openPglite` begins from, with every migration applied, so that a first start does neither. Run it after
// a change of the PGlite version; after new migrations it only saves time, for what is missing is applied at the start.
//   npm run build && node scripts/pack-pglite.mjs
import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { brotliCompressSync, constants } from 'node:zlib'
import { PGlite } from '@electric-sql/pglite'
import { migrations as hitl } from '@baton/hitl'
import { migrate, openStore } from '@baton/store'
import { migrations as tools } from '@baton/tools'
import { migrations as tracing } from '@baton/tracing'

// Small WAL segments: the directory takes 25 MB instead of 40.
const work = mkdtempSync(join(tmpdir(), 'baton-pack-'))
const dir = join(work, 'data')
const made = new PGlite(dir, { initDbStartParams: ['--wal-segsize=1'] })
await made.waitReady
const queryable = (target) => ({
  query: async (text, params = []) => {
    const { rows, affectedRows } = await target.query(text, params)
    return { rows, rowCount: rows.length > 0 ? rows.length : (affectedRows ?? 0) }
  },
})
const db = { ...queryable(made), kind: 'pglite', transaction: (run) => made.transaction((tx) => run(queryable(tx))) }
await openStore(db)
for (const [scope, migrations] of Object.entries({ hitl, tools, tracing })) await migrate(db, { scope, migrations })
// The two templates are copies of an empty database: more than half of the files, and nothing here makes another database from them.
await made.exec('update pg_database set datistemplate = false where datname <> current_database()')
for (const name of ['template0', 'template1']) await made.exec(`drop database ${name}`)
await made.exec('checkpoint')
const { rows } = await made.query("select split_part(version(), ' ', 2) as version, pg_walfile_name(pg_current_wal_lsn()) as wal")
await made.close()

// Segments kept for reuse are empty weight.
for (const name of readdirSync(join(dir, 'pg_wal')))
  if (/^[0-9A-F]{24}$/.test(name) && name > rows[0].wal) rmSync(join(dir, 'pg_wal', name))
appendFileSync(join(dir, 'postgresql.conf'), '\nmax_wal_size = 128MB\nmin_wal_size = 8MB\njit = off\n')

const entries = readdirSync(dir, { recursive: true }).sort()
const header = (path, isFolder, size) => {
  const block = Buffer.alloc(512)
  block.write(path, 0, 100)
  block.write(isFolder ? '0000700\0' : '0000600\0', 100)
  block.write('0000000\0', 108)
  block.write('0000000\0', 116)
  block.write(`${size.toString(8).padStart(11, '0')}\0`, 124)
  block.write('00000000000\0', 136)
  block.write('        ', 148)
  block.write(isFolder ? '5' : '0', 156)
  block.write('ustar\x0000', 257)
  block.write(
    `${block
      .reduce((sum, byte) => sum + byte, 0)
      .toString(8)
      .padStart(6, '0')}\0 `,
    148,
  )
  return block
}
const blocks = entries.flatMap((path) => {
  const isFolder = statSync(join(dir, path)).isDirectory()
  const content = isFolder ? Buffer.alloc(0) : readFileSync(join(dir, path))
  return [header(isFolder ? `${path}/` : path, isFolder, content.length), content, Buffer.alloc((512 - (content.length % 512)) % 512)]
})
const tar = Buffer.concat([...blocks, Buffer.alloc(1024)])
const packed = brotliCompressSync(tar, {
  params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_LGWIN]: 24, [constants.BROTLI_PARAM_SIZE_HINT]: tar.length },
})
const target = new URL(`../libs/store/assets/pglite-${rows[0].version.split('.')[0]}.tar.br`, import.meta.url)
writeFileSync(target, packed)
rmSync(work, { recursive: true })
process.stdout.write(`${target.pathname.split('/').at(-1)}: ${packed.length} bytes of ${tar.length}\n`)
