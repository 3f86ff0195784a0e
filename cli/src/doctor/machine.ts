// This machine: the runtime and, embedded, the data directory.
import { access, constants, stat, statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Environment } from '@baton/service'
import { fail, pass, warn, type Finding } from './finding.ts'

/** What the package declares as its engines. */
const NODE_MIN = [20, 19] as const
const FREE_BYTES_MIN = 3 * 1024 ** 3

/** The version of Node that runs this. */
export const nodeFinding = (version: string): Finding => {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const enough = major > NODE_MIN[0] || (major === NODE_MIN[0] && minor >= NODE_MIN[1])
  return enough
    ? pass({ check: 'node', message: `Node ${version}` })
    : fail({ check: 'node', message: `Node ${version}`, help: `install Node ${NODE_MIN.join('.')} or newer; "npm ci" brings one` })
}

/** Embedded: log and database lie in one directory of this machine, which the first start makes. */
export const dataFindings = async ({ config: { dataDir } }: Environment): Promise<readonly Finding[]> => {
  const there = await nearest(dataDir)
  await access(there, constants.W_OK)
  const { bavail, bsize } = await statfs(there)
  const message = `${dataDir} can be ${there === dataDir ? 'written' : 'made'}, ${((bavail * bsize) / 1024 ** 3).toFixed(1)} GiB free`
  return [
    bavail * bsize >= FREE_BYTES_MIN
      ? pass({ check: 'data', message })
      : warn({ check: 'data', message, help: 'the log may take 2 GiB before it refuses more: make room' }),
  ]
}

/** The directory itself, or the closest one above it that exists. */
const nearest = async (directory: string): Promise<string> => {
  const found = await stat(directory).catch(() => undefined)
  const above = dirname(directory)
  return found !== undefined || above === directory ? directory : nearest(above)
}
