// Draws that stay: the same key lands at the same place, on every replica, today and tomorrow.

const FNV_OFFSET = 0x81_1c_9d_c5
const FNV_PRIME = 0x01_00_01_93
const RANGE = 4_294_967_296

/** A place in [0, 1) for a key; evenly spread over keys. */
export const placeOf = (key: string): number => {
  let hash = FNV_OFFSET
  for (let at = 0; at < key.length; at++) hash = Math.imul(hash ^ key.charCodeAt(at), FNV_PRIME)
  // The last characters have hardly reached the high bits yet.
  hash = Math.imul(hash ^ (hash >>> 16), 0x85_eb_ca_6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2_b2_ae_35)
  return ((hash ^ (hash >>> 16)) >>> 0) / RANGE
}

/** Items in an order drawn by weight, without putting back; `place` in [0, 1) decides, and each draw uses what is left of it. */
export const drawOrder = <T extends { readonly weight: number }>(items: readonly T[], place: number): readonly T[] => {
  const left = [...items]
  const drawn: T[] = []
  let rest = place
  while (left.length > 0) {
    const total = left.reduce((sum, { weight }) => sum + weight, 0)
    let point = rest * total
    const at = total <= 0 ? 0 : left.findIndex(({ weight }) => (point -= weight) < 0)
    const [item] = left.splice(Math.max(0, at), 1)
    if (item === undefined) break
    drawn.push(item)
    // What is left of the place after the draw is even again.
    rest = item.weight > 0 && total > 0 ? Math.min(0.999_999, Math.max(0, (point + item.weight) / item.weight)) : rest
  }
  return drawn
}
