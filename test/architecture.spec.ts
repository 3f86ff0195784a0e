import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'

// Layers, declarations and citations, checked on the source text: `tsc -b` rejects none of these.

/** Every lib in order: each may import only those before it. */
const LIBS = ['contracts', 'policy', 'flow', 'engine', 'bus', 'store', 'telemetry', 'service', 'client', 'testing']
/** Libs without I/O, clock, randomness, Nest or Kafka. `ids.ts` hashes, which is a pure function. */
const PURE = ['contracts', 'policy', 'flow', 'engine']
const IMPURE_IMPORT = /^(node:(?!crypto$)|@nestjs\/|kafkajs$|pg$|pino$|@opentelemetry\/|@electric-sql\/)/
const IMPURE_CALL = /\b(Date\.now\(|new Date\(\)|Math\.random\(|process\.env|setTimeout\(|fetch\()/

const root = join(import.meta.dirname, '..')
type PackageFile = { readonly name: string; readonly dependencies?: Readonly<Record<string, string>> }
const read = (path: string): string => readFileSync(join(root, path), 'utf8')
const packageOf = (folder: string): PackageFile => JSON.parse(read(`${folder}/package.json`))
const folders = ['libs', 'services']
  .flatMap((top) => readdirSync(join(root, top)).map((name) => `${top}/${name}`))
  .filter((folder) => existsSync(join(root, folder, 'package.json')))
  .concat('cli')
const folderOf = new Map(folders.map((folder) => [packageOf(folder).name, folder]))
const sourcesOf = (folder: string): readonly string[] =>
  readdirSync(join(root, folder, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.d.ts'))
    .map((file) => `${folder}/src/${file}`)
const isTest = (file: string): boolean => file.endsWith('.spec.ts') || /(^|[./])(contract|testing|fixtures?)[./]/.test(file)
const importsIn = (file: string): readonly string[] =>
  [...read(file).matchAll(/^(?:import|export)\b[^'"]*?from\s+'([^'.][^']*)'|^import\s+'([^'.][^']*)'|import\('([^'.][^']*)'\)/gm)].map(
    (match) => match[1] ?? match[2] ?? match[3] ?? '',
  )
const packageName = (specifier: string): string =>
  specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')

const allowedFor = (folder: string): readonly string[] => {
  if (folder.startsWith('libs/')) return LIBS.slice(0, LIBS.indexOf(folder.slice('libs/'.length))).map((name) => `libs/${name}`)
  const libs = LIBS.filter((name) => name !== 'testing').map((name) => `libs/${name}`)
  // The command line plays the flow tests of users.
  return folder === 'cli' ? [...libs, 'libs/testing', ...folders.filter((name) => name.startsWith('services/'))] : libs
}

describe.each(folders)('%s', (folder) => {
  const shipped = sourcesOf(folder).filter((file) => !isTest(file))
  const imported = new Set(shipped.flatMap(importsIn).map(packageName))
  const ours = [...imported].filter((name) => folderOf.has(name) && folderOf.get(name) !== folder)

  it('imports only the layers below it', () => {
    const allowed = allowedFor(folder)
    expect(ours.filter((name) => !allowed.includes(folderOf.get(name) ?? ''))).toEqual([])
  })

  it('declares what it imports', () => {
    const declared = new Set([...Object.keys(packageOf(folder).dependencies ?? {}), packageOf(folder).name])
    expect([...imported].filter((name) => !name.startsWith('node:') && !declared.has(name))).toEqual([])
  })

  it('has the tsconfig references that its dependencies need', () => {
    const references: readonly string[] = JSON.parse(read(`${folder}/tsconfig.json`)).references.map((entry: { path: string }) =>
      join(folder, entry.path),
    )
    const dependencies = Object.keys(packageOf(folder).dependencies ?? {}).flatMap((name) => folderOf.get(name) ?? [])
    // The servers that suites start are a project of their own: every lib may refer to it, none depends on it.
    expect(references.filter((path) => path !== 'libs/testing/src/servers' && path !== 'libs/testing/src/rig').sort()).toEqual(
      [...dependencies].sort(),
    )
  })
})

describe.each(PURE.map((name) => `libs/${name}`))('%s is pure', (folder) => {
  it('touches neither clock, randomness, network, disk nor a framework', () => {
    const offences = sourcesOf(folder)
      .filter((file) => !isTest(file) && !file.includes('/generate/'))
      .flatMap((file) =>
        [...importsIn(file).filter((name) => IMPURE_IMPORT.test(name)), ...(IMPURE_CALL.exec(read(file)) ?? []).slice(0, 1)].map(
          (offence) => `${file}: ${offence}`,
        ),
      )
    expect(offences).toEqual([])
  })
})

describe('numbered invariants', () => {
  const tests = folders
    .flatMap(sourcesOf)
    .filter((file) => file.endsWith('.spec.ts') || isTest(file))
    .concat(
      readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' })
        .filter((file) => file.endsWith('.ts'))
        .map((file) => `test/${file}`),
    )
  const titlesOf = (folder: string): string =>
    tests
      .filter((file) => file.startsWith(`${folder}/`) || file.startsWith('test/'))
      .map(read)
      .join('\n')

  it.each(folders)('of %s are each cited by a test title', (folder) => {
    const titles = titlesOf(folder)
    const uncited = sourcesOf(folder)
      .filter((file) => !isTest(file))
      .flatMap((file) => [...read(file).matchAll(/^\/\/ {3}(?:[a-z-]+\/)?([A-Z]\d+)\. /gm)].map((match) => ({ file, id: match[1] ?? '' })))
      .filter(({ id }) => !new RegExp(`['"\`(/ ,]${id}[:, ]`).test(titles))
    expect(uncited.map(({ file, id }) => `${file}: ${id}`)).toEqual([])
  })
})
