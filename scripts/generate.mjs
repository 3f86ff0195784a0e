// Writes what is generated from contracts and flow format to docs/generated. Run after `npm run build`.
// A change that breaks readers or writers of a message needs a new major version; before a release `--breaking` accepts it.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { breakingChanges, generatedFiles } from '@baton/contracts/generate'
import { editorSchemaFile } from '@baton/flow'

const folder = join(import.meta.dirname, '..', 'docs', 'generated')
const files = new Map([...generatedFiles(), ...editorSchemaFile()])

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

const schemas = join(folder, 'schemas')
for (const name of existsSync(schemas) ? readdirSync(schemas) : []) if (!files.has(`schemas/${name}`)) rmSync(join(schemas, name))
let written = 0
for (const [path, text] of files) {
  const target = join(folder, path)
  if (existsSync(target) && readFileSync(target, 'utf8') === text) continue
  mkdirSync(dirname(target), { recursive: true })
  writeFileSync(target, text)
  written++
}
console.log(`docs/generated: ${files.size} files, ${written} changed`)
