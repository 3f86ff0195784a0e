// One process a data directory. Two would overwrite each other's log.
import { Fault } from '@baton/contracts/fault'
import * as fs from 'node:fs'
import { join } from 'node:path'

type Owner = { readonly pid: number; readonly started: string }

const FILE = 'lock'
/** Directories this process holds: its own pid in a lock file alone would look like a leftover. */
const held = new Set<string>()

/** Takes the directory for this process and returns how to give it back; `config.invalid` with the owner's pid when it is taken. */
export const lockDirectory = (dir: string): (() => void) => {
  const directory = fs.realpathSync(dir)
  const path = join(directory, FILE)
  const own: Owner = { pid: process.pid, started: startOf(process.pid) }
  for (let tries = 0; tries < 10; tries++) {
    if (held.has(directory)) throw taken(directory, process.pid)
    if (create(path, own)) {
      held.add(directory)
      return () => {
        held.delete(directory)
        fs.rmSync(path, { force: true })
      }
    }
    const owner = read(path)
    if (owner !== undefined && isAlive(owner)) throw taken(directory, owner.pid)
    removeStale(path, owner)
  }
  throw new Fault('config.invalid', `the lock file ${path} cannot be taken`, { path })
}

const taken = (directory: string, pid: number): Fault =>
  new Fault('config.invalid', `the data directory ${directory} is in use by process ${pid}`, { directory, pid })

const create = (path: string, owner: Owner): boolean => {
  const own = `${path}.${owner.pid}`
  fs.writeFileSync(own, JSON.stringify(owner))
  try {
    fs.linkSync(own, path) // Unlike opening with 'wx', it appears with its content.
    return true
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false
    throw error
  } finally {
    fs.rmSync(own, { force: true })
  }
}

/** Takes a dead owner's lock away, unless somebody else has replaced it in between. */
const removeStale = (path: string, owner: Owner | undefined): void => {
  const aside = `${path}.stale.${process.pid}`
  try {
    fs.renameSync(path, aside)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return
    throw error
  }
  const moved = read(aside)
  if (moved?.pid === owner?.pid && moved?.started === owner?.started) fs.rmSync(aside)
  else fs.renameSync(aside, path)
}

const read = (path: string): Owner | undefined => {
  try {
    const owner: unknown = JSON.parse(fs.readFileSync(path, 'utf8'))
    if (typeof owner !== 'object' || owner === null || !('pid' in owner) || typeof owner.pid !== 'number') return undefined
    return { pid: owner.pid, started: 'started' in owner && typeof owner.started === 'string' ? owner.started : '' }
  } catch {
    return undefined // Gone, or never written completely: nobody's.
  }
}

const isAlive = ({ pid, started }: Owner): boolean => {
  if (pid === process.pid) return false // This process does not hold it, so it is from an earlier life with the same number.
  try {
    process.kill(pid, 0)
  } catch (error) {
    return codeOf(error) === 'EPERM'
  }
  const now = startOf(pid)
  return started === '' || now === '' || started === now
}

/** When a process started, where the system tells: pids come again, above all in containers. */
const startOf = (pid: number): string => {
  try {
    const stat = fs.readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''
  } catch {
    return ''
  }
}

const codeOf = (error: unknown): string | undefined =>
  typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : undefined
