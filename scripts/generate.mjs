// Writes what is generated from contracts, flow format and command line to docs/generated, and the pages of the
// diagnostics to docs/diagnostics. Run after `npm run build`.
// `--check` writes nothing and fails when a file is not what it would be.
// A change that breaks readers or writers of a message needs a new major version; before a release `--breaking` accepts it.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { breakingChanges, generatedFiles, unmetNeeds } from '@baton/contracts/generate'
import { editorSchemaFile } from '@baton/flow'
import { diagnosticPageFiles } from '@baton/flow/diagnostic-pages'
import { flowFormatFile } from '@baton/flow/reference'
import { flowTestSchemaFile } from '@baton/testing/file'
import { cliReferenceFile } from 'baton/platform'

const folder = join(import.meta.dirname, '..', 'docs', 'generated')
const files = new Map([
  ...generatedFiles(),
  ...editorSchemaFile(),
  ...flowTestSchemaFile(),
  ...flowFormatFile(),
  ...(await cliReferenceFile()),
  ...[...diagnosticPageFiles()].map(([path, text]) => [`../${path}`, text]),
])

const breaking = [...files]
  .filter(([path]) => path.startsWith('schemas/') && existsSync(join(folder, path)))
  .flatMap(([path, text]) =>
    breakingChanges(JSON.parse(readFileSync(join(folder, path), 'utf8')), JSON.parse(text)).map((change) => `${path}: ${change}`),
  )
if (breaking.length > 0 && !process.argv.includes('--breaking')) {
  console.error(
    `These changes break readers or writers of a message; give it a new major version, or accept them with --breaking:\n  ${breaking.join('\n  ')}`,
  )
  process.exit(1)
}

// `--breaking` does not help here: another team has to say first that it no longer needs it.
const consumers = join(folder, '..', 'consumers')
const unmet = readdirSync(consumers)
  .filter((name) => name.endsWith('.json'))
  .flatMap((name) => unmetNeeds(JSON.parse(readFileSync(join(consumers, name), 'utf8'))))
if (unmet.length > 0) {
  console.error(`Other teams lean on this (docs/consumers):\n  ${unmet.join('\n  ')}`)
  process.exit(1)
}

const schemas = join(folder, 'schemas')
const gone = (existsSync(schemas) ? readdirSync(schemas) : []).filter((name) => !files.has(`schemas/${name}`))
const changed = [...files].filter(([path, text]) => !existsSync(join(folder, path)) || readFileSync(join(folder, path), 'utf8') !== text)
const stale = [...changed.map(([path]) => path), ...gone.map((name) => `schemas/${name}`)]
if (process.argv.includes('--check')) {
  if (stale.length > 0) console.error(`docs/generated is not current, run \`npm run build && npm run gen\`:\n  ${stale.join('\n  ')}`)
  else console.log(`docs/generated: ${files.size} files, all current`)
  process.exit(stale.length > 0 ? 1 : 0)
}
for (const name of gone) rmSync(join(schemas, name))
for (const [path, text] of changed) {
  mkdirSync(dirname(join(folder, path)), { recursive: true })
  writeFileSync(join(folder, path), text)
}
console.log(`docs/generated: ${files.size} files, ${changed.length} changed`)
