// `node scripts/train-novelty.mjs`: how well the committed model of novelty tells questions a bank never saw from those of its customers.
// With `--write` it is trained again first, from data/support/train.csv; the same rows give the same bytes.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'

const SOURCE = '--conditions=@baton/source'
if (!process.execArgv.includes(SOURCE)) {
  const { status } = spawnSync(process.execPath, [SOURCE, '--no-warnings', ...process.argv.slice(1)], { stdio: 'inherit' })
  process.exit(status ?? 1)
}
const root = join(import.meta.dirname, '..')
const { noveltyOf, packNovelty, trainNovelty, unpackNovelty } = await import(join(root, 'libs', 'policy', 'src', 'novelty', 'index.ts'))
const file = join(root, 'flows', 'support', 'models', 'novelty.bin.gz')

const rowsOf = (name) =>
  readFileSync(join(root, 'data', 'support', name), 'utf8')
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => {
      const [, quoted, plain, label] = /^(?:"((?:[^"]|"")*)"|([^,]*)),([^,]*),/.exec(line) ?? []
      return { text: (quoted ?? plain ?? '').replaceAll('""', '"'), label }
    })

/** One of five is held back from the centres: the percentiles are of texts that no centre has seen. */
const isHeld = (text) => {
  let state = 0x81_1c_9d_c5
  for (let at = 0; at < text.length; at++) state = Math.imul(state ^ text.charCodeAt(at), 0x01_00_01_93)
  return (state >>> 8) % 5 === 0
}

if (process.argv.includes('--write')) {
  const known = rowsOf('train.csv').filter(({ label }) => label !== 'unknown')
  const model = trainNovelty(
    known.filter(({ text }) => !isHeld(text)).map(({ text, label }) => ({ text, group: label })),
    known.filter(({ text }) => isHeld(text)).map(({ text }) => text),
  )
  const packed = packNovelty(model)
  const zipped = gzipSync(packed, { level: 9 })
  writeFileSync(file, zipped)
  const sha256 = createHash('sha256').update(packed).digest('hex')
  const provenance = {
    kind: 'novelty',
    command: 'node scripts/train-novelty.mjs --write',
    source: 'data/support/train.csv without the rows labelled unknown: banking77 (PolyAI, CC BY 4.0)',
    rows: { centres: known.filter(({ text }) => !isHeld(text)).length, percentiles: known.filter(({ text }) => isHeld(text)).length },
    groups: model.scales.length,
    bytes: { sha256 },
  }
  writeFileSync(`${file}.provenance.json`, `${JSON.stringify(provenance, null, 2)}\n`)
  console.log(`wrote ${(zipped.length / 1024).toFixed(0)} KiB, sha256 of the bytes inside ${sha256}`)
}

const model = unpackNovelty(gunzipSync(readFileSync(file)))
const heldBack = rowsOf('held-back.csv')
const own = heldBack.filter(({ label }) => label !== 'unknown').map(({ text }) => noveltyOf(model, text))
const strange = heldBack.filter(({ label }) => label === 'unknown').map(({ text }) => noveltyOf(model, text))
console.log(
  `customers' questions ${own.length}, questions about other things (CLINC150 oos_val) ${strange.length}; none of them was trained on`,
)
console.table(
  [0.8, 0.9, 0.95, 0.98, 0.99].map((max) => ({
    'goes to a person above': max,
    "customers' questions that do": `${((100 * own.filter((score) => score > max).length) / own.length).toFixed(1)} %`,
    'other things that do': `${((100 * strange.filter((score) => score > max).length) / strange.length).toFixed(1)} %`,
  })),
)
