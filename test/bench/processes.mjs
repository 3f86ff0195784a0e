// CPU of processes with everything they started, from /proc.
import { readdirSync, readFileSync } from 'node:fs'

const TICK_MS = 10

/** Parent and CPU of a process, with that of children that have ended; undefined when it is gone. */
const statOf = (pid) => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return { parent: Number(fields[1]), cpuMs: fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) * TICK_MS }
  } catch {
    return undefined
  }
}

/** CPU milliseconds that each of these processes has used, whatever it started included. */
export const cpuOfTrees = (pids) => {
  const stats = new Map()
  for (const name of readdirSync('/proc')) {
    const stat = /^\d+$/.test(name) ? statOf(name) : undefined
    if (stat !== undefined) stats.set(Number(name), stat)
  }
  const below = (pid) => [...stats].filter(([, { parent }]) => parent === pid).flatMap(([child]) => [child, ...below(child)])
  const of = (pid) => [pid, ...below(pid)].reduce((sum, each) => sum + (stats.get(each)?.cpuMs ?? 0), 0)
  return Object.fromEntries(Object.entries(pids).map(([name, pid]) => [name, of(pid)]))
}

/** What each grew by, divided by `units`. */
export const grownBy = (before, after, units) =>
  Object.fromEntries(Object.entries(after).map(([name, ms]) => [name, (ms - (before[name] ?? 0)) / units]))
