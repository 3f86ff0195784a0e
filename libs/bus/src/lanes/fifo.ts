/** A queue without the cost of `Array.shift`. */
export class Fifo<Item> {
  private items: (Item | undefined)[] = []
  private head = 0

  get size(): number {
    return this.items.length - this.head
  }

  push(item: Item): void {
    this.items.push(item)
  }

  peek(): Item | undefined {
    return this.items[this.head]
  }

  shift(): Item | undefined {
    const item = this.items[this.head]
    if (this.head === this.items.length) return undefined
    this.items[this.head++] = undefined // or what it holds would live until the next sweep
    if (this.head > 64 && this.head * 2 > this.items.length) this.sweep()
    return item
  }

  /** Takes out every item that matches, in order. */
  remove(matches: (item: Item) => boolean): Item[] {
    const removed: Item[] = []
    const kept: Item[] = []
    for (let item = this.shift(); item !== undefined; item = this.shift()) (matches(item) ? removed : kept).push(item)
    this.items = kept
    this.head = 0
    return removed
  }

  private sweep(): void {
    this.items = this.items.slice(this.head)
    this.head = 0
  }
}
