// How much of the machine others took while a part ran: a missed figure on a busy machine says little about the bus.
import { readFileSync } from 'node:fs'
import { cpuMsOf } from '../figures.mjs'

const TICK_MS = 10

/** Milliseconds of all cores since the start: worked, and all. Undefined where /proc is not. */
const machine = () => {
  try {
    const line = readFileSync('/proc/stat', 'utf8').split('\n')[0] ?? ''
    const [user, nice, system, idle, iowait, irq, softirq, steal] = line
      .split(/\s+/)
      .slice(1)
      .map((ticks) => Number(ticks) * TICK_MS)
    const busy = user + nice + system + irq + softirq + steal
    return { busy, all: busy + idle + iowait }
  } catch {
    return undefined
  }
}

/** Measures from now on; the share of the cores that neither this process nor `pids` used. */
export const othersShare = (pids) => {
  const own = () => pids().reduce((sum, pid) => sum + cpuMsOf(pid), 0)
  const before = machine()
  const ownBefore = before === undefined ? 0 : own()
  return () => {
    const after = machine()
    if (before === undefined || after === undefined) return undefined
    const others = after.busy - before.busy - Math.max(0, own() - ownBefore)
    return Math.max(0, others) / Math.max(1, after.all - before.all)
  }
}
