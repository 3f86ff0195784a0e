// Makes the one file that `import … from 'baton'` loads, of what `tsc -b` wrote: looking for some hundred modules takes longer than a
// first run. What a chain of prompts never needs lies beside it, a file each, loaded at its first use.
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { rolldown } from 'rolldown'

const root = join(import.meta.dirname, '..')
const dir = join(root, 'cli', 'dist', 'bundle')

/** By the end of the path of a module: its file, and what is used of it. */
const LATER = [
  { module: 'libs/flow/dist/source/yaml.js', file: 'yaml.js', name: 'parseSyntax' },
  { module: 'node_modules/ajv/dist/2020.js', file: 'ajv.js', name: 'Ajv2020' },
  { module: 'node_modules/re2js/build/index.js', file: 're2.js', name: 'RE2JS' },
]
const START = '\0start:'
const REQUIRED = '\0required:'

/** Where nothing can be awaited, a module is required when a function of it is called. */
const requiring = ({ file, name }) => `import { createRequire } from 'node:module'
let loaded
const load = () => (loaded ??= createRequire(import.meta.url)('./${file}').${name})
export const ${name} = new Proxy(function () {}, {
  get: (_none, key) => load()[key],
  apply: (_none, self, given) => Reflect.apply(load(), self, given),
})`

const later = {
  name: 'later',
  async resolveId(specifier, importer, { kind }) {
    if (specifier.startsWith(START)) return specifier
    if (importer === undefined || importer.startsWith(START)) return null
    const found = await this.resolve(specifier, importer, { kind, skipSelf: true })
    const named = LATER.find(({ module }) => found?.id === join(root, module))
    if (named === undefined) return found
    return kind === 'dynamic-import' ? { id: `./${named.file}`, external: true } : REQUIRED + named.file
  },
  load(id) {
    const named = LATER.find(({ file }) => id === START + file || id === REQUIRED + file)
    if (named === undefined) return null
    return id.startsWith(REQUIRED) ? requiring(named) : `export { ${named.name} } from ${JSON.stringify(join(root, named.module))}`
  },
}

const write = async (input, file) => {
  const bundle = await rolldown({
    input,
    cwd: root,
    platform: 'node',
    // Faults are told by their class: a program that has them from their own package as well must get the same one.
    external: ['@baton/contracts/fault'],
    // A module of Node that is imported for nothing that is left takes its time all the same.
    treeshake: { moduleSideEffects: [{ test: /^node:/, external: true, sideEffects: false }] },
    plugins: [later],
  })
  // Lines and names stay as they are: they stand in stack traces, and a start is not faster without them.
  const { output } = await bundle.write({ file: join(dir, file), comments: false })
  await bundle.close()
  return output[0].exports
}

rmSync(dir, { recursive: true, force: true })
const names = await write(join(root, 'cli', 'dist', 'index.js'), 'program.js')
// Compiling it is a good part of a first run: what Node compiled once it keeps, where it may (NODE_DISABLE_COMPILE_CACHE says no).
writeFileSync(
  join(dir, 'index.js'),
  `import { enableCompileCache } from 'node:module'
enableCompileCache?.()
export const { ${names.join(', ')} } = await import('./program.js')
`,
)
for (const { file } of LATER) await write(START + file, file)
