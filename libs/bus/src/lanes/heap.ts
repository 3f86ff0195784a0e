/** The item with the smallest rank first. Ranks do not change while an item is in. */
export class Heap<Item> {
  private readonly rankOf: (item: Item) => number
  private items: Item[] = []

  constructor(rankOf: (item: Item) => number) {
    this.rankOf = rankOf
  }

  get size(): number {
    return this.items.length
  }

  peek(): Item | undefined {
    return this.items[0]
  }

  push(item: Item): void {
    const { items, rankOf } = this
    const rank = rankOf(item)
    let at = items.push(item) - 1
    while (at > 0) {
      const above = (at - 1) >> 1
      const parent = items[above]
      if (parent === undefined || rankOf(parent) <= rank) break
      items[at] = parent
      at = above
    }
    items[at] = item
  }

  shift(): Item | undefined {
    const { items, rankOf } = this
    const first = items[0]
    const last = items.pop()
    if (last === undefined || items.length === 0) return first
    const rank = rankOf(last)
    let at = 0
    for (;;) {
      const child = this.smallerChild(at)
      const item = items[child]
      if (item === undefined || rankOf(item) >= rank) break
      items[at] = item
      at = child
    }
    items[at] = last
    return first
  }

  /** Takes out every item that matches. */
  remove(matches: (item: Item) => boolean): Item[] {
    const removed = this.items.filter(matches)
    if (removed.length === 0) return removed
    const kept = this.items.filter((item) => !matches(item))
    this.items = []
    for (const item of kept) this.push(item)
    return removed
  }

  private smallerChild(at: number): number {
    const { items, rankOf } = this
    const left = 2 * at + 1
    const [one, two] = [items[left], items[left + 1]]
    return one !== undefined && two !== undefined && rankOf(two) < rankOf(one) ? left + 1 : left
  }
}
