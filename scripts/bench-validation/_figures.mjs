// Figures that several parts print.
export const percent = (share) => (Number.isNaN(share) ? '-' : `${(100 * share).toFixed(1)} %`)

/** Wilson's interval of a share, 95 %, in percent. */
export const interval = (part, whole) => {
  const z = 1.96
  const share = part / whole
  const middle = (share + (z * z) / (2 * whole)) / (1 + (z * z) / whole)
  const half = (z * Math.sqrt((share * (1 - share)) / whole + (z * z) / (4 * whole * whole))) / (1 + (z * z) / whole)
  return `${(100 * Math.max(0, middle - half)).toFixed(1)}–${(100 * Math.min(1, middle + half)).toFixed(1)}`
}

/** Chance that one of the first scores more than one of the second; ties count half. */
export const areaUnder = (positive, negative) => {
  const all = [...positive.map((score) => ({ score, own: true })), ...negative.map((score) => ({ score, own: false }))].toSorted(
    (left, right) => left.score - right.score,
  )
  let below = 0
  let wins = 0
  for (let at = 0; at < all.length;) {
    let to = at
    while (to < all.length && all[to].score === all[at].score) to += 1
    const same = all.slice(at, to)
    const negatives = same.filter(({ own }) => !own).length
    wins += (same.length - negatives) * (below + negatives / 2)
    below += negatives
    at = to
  }
  return wins / (positive.length * negative.length)
}

/** CPU milliseconds of one call, the mean of many after as many to warm up: wall time would measure whoever else is at work here. */
export const cpuMsOf = (rounds, call) => {
  for (let round = 0; round < rounds; round++) call()
  const before = process.cpuUsage()
  for (let round = 0; round < rounds; round++) call()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1_000 / rounds
}
