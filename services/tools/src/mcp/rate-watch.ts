/** Counts what comes in a second; false from the moment that it is more than allowed. */
export const createRateWatch = (perSecondMax: number, nowMs: () => number = () => performance.now()): (() => boolean) => {
  let since = nowMs()
  let count = 0
  return () => {
    const now = nowMs()
    if (now - since >= 1_000) {
      since = now
      count = 0
    }
    count += 1
    return count <= perSecondMax
  }
}
