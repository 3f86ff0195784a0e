// Completes package-lock.json with the platform packages that the registry at hand does not serve for the pinned versions: npm leaves
// them out when it writes the file, and `npm ci` then refuses it. Run by `npm run lock` after every change of dependencies.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const file = join(import.meta.dirname, '..', 'package-lock.json')
const lock = JSON.parse(readFileSync(file, 'utf8'))
const SYSTEMS = ['darwin', 'linux', 'win32', 'android', 'freebsd', 'openharmony']

/** What the name of a platform package says about where it runs: `binding-linux-x64-musl`, `binding-wasm32-wasi`. Undefined for any other package. */
const platformOf = (name) => {
  const words = name.split(/[/-]/)
  if (words.includes('wasm32')) return { cpu: ['wasm32'] } // Runs everywhere; npm never chooses it by itself.
  const at = words.findIndex((word) => SYSTEMS.includes(word))
  const cpu = words[at + 1]
  if (at === -1 || cpu === undefined) return undefined
  const libc = words.includes('musl') ? ['musl'] : words.includes('gnu') ? ['glibc'] : undefined
  return { cpu: [cpu], os: [words[at]], ...(libc === undefined ? {} : { libc }) }
}

let added = 0
for (const [place, entry] of Object.entries(lock.packages)) {
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    const key = `node_modules/${name}`
    const platform = platformOf(name)
    if (platform === undefined || lock.packages[key] !== undefined || lock.packages[`${place}/${key}`] !== undefined) continue
    lock.packages[key] = { version, ...platform, dev: entry.dev ?? false, optional: true }
    if (!lock.packages[key].dev) delete lock.packages[key].dev
    added += 1
  }
}
lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(([left], [right]) => (left < right ? -1 : 1)))
writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`)
process.stdout.write(`${added} platform packages added\n`)
