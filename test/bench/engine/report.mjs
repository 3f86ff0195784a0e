// How rows of the bench are said.
export const f = (value, digits = 2) => value.toFixed(digits)
export const say = (text) => process.stdout.write(`${text}\n`)

/** `what 1.20 (95 % interval 1.10–1.30 over 7 pairs, extremes 1.05–1.40)`. */
export const saidInterval = ({ mean, low, high, min, max }, pairs) =>
  pairs < 2
    ? `${f(mean)} (one pair: no interval)`
    : `${f(mean)} (95 % interval ${f(low)}–${f(high)} over ${pairs} pairs, extremes ${f(min)}–${f(max)})`

/** PASS or FAIL of a figure against what it must be; a figure that could not be had is neither. */
export const verdict = (ok) => (ok === undefined ? 'SKIP' : ok ? 'PASS' : 'FAIL')

/** Shares of CPU by process, the dearest first. */
export const saidCpu = (cpu, digits = 2) =>
  Object.entries(cpu)
    .toSorted(([, left], [, right]) => right - left)
    .map(([name, ms]) => `${name} ${f(ms, digits)}`)
    .join(', ')
