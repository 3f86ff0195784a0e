/** The item that comes before all others first. What decides it does not change while an item is in. */
export class Heap<Item> {
  private readonly compare: (left: Item, right: Item) => number
  private items: Item[] = []

  constructor(compare: (left: Item, right: Item) => number) {
    this.compare = compare
  }

  get size(): number {
    return this.items.length
  }

  peek(): Item | undefined {
    return this.items[0]
  }

  push(item: Item): void {
    const { items, compare } = this
    let at = items.push(item) - 1
    while (at > 0) {
      const above = (at - 1) >> 1
      const parent = items[above]
      if (parent === undefined || compare(parent, item) <= 0) break
      items[at] = parent
      at = above
    }
    items[at] = item
  }

  shift(): Item | undefined {
    const { items, compare } = this
    const first = items[0]
    const last = items.pop()
    if (last === undefined || items.length === 0) return first
    let at = 0
    for (;;) {
      const child = this.smallerChild(at)
      const item = items[child]
      if (item === undefined || compare(item, last) >= 0) break
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
    const { items, compare } = this
    const left = 2 * at + 1
    const [one, two] = [items[left], items[left + 1]]
    return one !== undefined && two !== undefined && compare(two, one) < 0 ? left + 1 : left
  }
}
