// Times by name with the soonest at hand. Nothing is looked through, however many there are; removed ones surface and are dropped.

type Timed = { readonly name: string; readonly at: number }

export class Soonest {
  readonly #times = new Map<string, number>()
  /** A binary heap; entries that no longer hold stay in it until they surface. */
  readonly #heap: Timed[] = []

  set(name: string, at: number): void {
    if (this.#times.get(name) === at) return
    this.#times.set(name, at)
    this.#push({ name, at })
  }

  delete(name: string): void {
    this.#times.delete(name)
  }

  /** Infinity while there is none. */
  earliest(): number {
    for (;;) {
      const first = this.#heap[0]
      if (first === undefined) return Infinity
      if (this.#times.get(first.name) === first.at) return first.at
      this.#pop()
    }
  }

  #push(entry: Timed): void {
    const heap = this.#heap
    let index = heap.push(entry) - 1
    while (index > 0) {
      const parent = (index - 1) >> 1
      const above = heap[parent]
      if (above === undefined || above.at <= entry.at) break
      heap[index] = above
      index = parent
    }
    heap[index] = entry
  }

  #pop(): void {
    const heap = this.#heap
    const last = heap.pop()
    if (last === undefined || heap.length === 0) return
    let index = 0
    for (;;) {
      const left = heap[2 * index + 1]
      const right = heap[2 * index + 2]
      if (left === undefined) break
      const child = right !== undefined && right.at < left.at ? 2 * index + 2 : 2 * index + 1
      const below = heap[child]
      if (below === undefined || below.at >= last.at) break
      heap[index] = below
      index = child
    }
    heap[index] = last
  }
}
