// Figures of interleaved pairs: ratios, because absolute speeds move with the machine.
import { readFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'

export const median = (values) => [...values].sort((left, right) => left - right)[Math.floor(values.length / 2)]

// Two-sided 95 % quantiles of Student's t for n - 1 degrees of freedom.
const T95 = { 2: 12.71, 3: 4.3, 4: 3.18, 5: 2.78, 6: 2.57, 7: 2.45, 8: 2.36, 9: 2.31, 10: 2.26 }

/** Geometric mean of the pairs' ratios with its 95 % interval, and the extremes. */
export const ratioInterval = (ratios) => {
  const logs = ratios.map(Math.log)
  const mean = logs.reduce((sum, value) => sum + value, 0) / logs.length
  const variance = logs.reduce((sum, value) => sum + (value - mean) ** 2, 0) / Math.max(1, logs.length - 1)
  const half = (T95[logs.length] ?? 2) * Math.sqrt(variance / logs.length)
  return {
    mean: Math.exp(mean),
    low: Math.exp(mean - half),
    high: Math.exp(mean + half),
    min: Math.min(...ratios),
    max: Math.max(...ratios),
  }
}

/** Share of a core in percent that `cpuMs` grows by while nothing is asked for: the median of three windows, after a pause to settle. */
export const idleShareOf = async (cpuMs, { settleMs = 15_000, windowMs = 8_000 } = {}) => {
  await pause(settleMs)
  const shares = []
  for (let window = 0; window < 3; window += 1) {
    const before = cpuMs()
    await pause(windowMs)
    shares.push((100 * (cpuMs() - before)) / windowMs)
  }
  return median(shares)
}

/** CPU milliseconds a process has used, user and system. */
export const cpuMsOf = (pid) => {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) * 10
}
