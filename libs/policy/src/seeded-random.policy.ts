/** Numbers in [0, 1) that depend on the seed alone (mulberry32), so that training can be repeated bit by bit. */
export const seededRandom = (seed: number): (() => number) => {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d_2b_79_f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

/** A copy in random order (Fisher-Yates). */
export const shuffled = <T>(items: readonly T[], random: () => number): T[] => {
  const keyed = items.map((item) => ({ item, key: random() }))
  return keyed.toSorted((left, right) => left.key - right.key).map(({ item }) => item)
}
