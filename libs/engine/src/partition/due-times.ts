// Due times of many runs: a run has one, setting it again moves it, and looking for the earliest costs nothing per waiting run.
//   D1. What is due is given at most `limit` at a time, the earliest buckets first.
//   D2. What was given comes again after the pause asked for, until it is set anew: a lost wake-up cannot strand a run.

/** Runs due within the same 64 ms share a bucket. */
const BUCKET_MS = 64

type Due = { readonly dueAtMs: number; readonly fireAtMs: number }

export class DueTimes {
  readonly #due = new Map<string, Due>()
  readonly #buckets = new Map<number, Set<string>>()
  /** Bucket numbers as a binary heap, smallest first; emptied buckets leave theirs behind until it surfaces. */
  readonly #heap: number[] = []

  get size(): number {
    return this.#due.size
  }

  /** Sets, moves or with null removes the due time of a run. */
  set(runId: string, dueAtMs: number | null): void {
    const known = this.#due.get(runId)
    if (known !== undefined) {
      if (known.dueAtMs === dueAtMs) return
      this.#remove(runId, known)
    }
    if (dueAtMs !== null) this.#add(runId, { dueAtMs, fireAtMs: dueAtMs })
  }

  /** When `take` next has something to give; null while nothing waits. */
  earliest(): number | null {
    const bucket = this.#firstBucket()
    if (bucket === undefined) return null
    let earliest = Infinity
    for (const runId of this.#buckets.get(bucket) ?? []) earliest = Math.min(earliest, this.#due.get(runId)?.fireAtMs ?? Infinity)
    return earliest
  }

  /** What is due, at most `limit`; each comes again after `againMs` unless it is set anew. */
  take(nowMs: number, limit: number, againMs: number): readonly { readonly runId: string; readonly dueAtMs: number }[] {
    const taken: { runId: string; dueAtMs: number }[] = []
    for (let bucket = this.#firstBucket(); bucket !== undefined && bucket * BUCKET_MS <= nowMs; bucket = this.#firstBucket()) {
      const before = taken.length
      for (const runId of this.#buckets.get(bucket) ?? []) {
        const due = this.#due.get(runId)
        if (due === undefined || due.fireAtMs > nowMs) continue
        if (taken.length === limit) return taken
        this.#remove(runId, due)
        this.#add(runId, { dueAtMs: due.dueAtMs, fireAtMs: nowMs + againMs })
        taken.push({ runId, dueAtMs: due.dueAtMs })
      }
      // The rest of this bucket is due within its 64 ms, but not yet.
      if (taken.length === before) return taken
    }
    return taken
  }

  #add(runId: string, due: Due): void {
    this.#due.set(runId, due)
    const bucket = Math.floor(due.fireAtMs / BUCKET_MS)
    const runs = this.#buckets.get(bucket)
    if (runs === undefined) {
      this.#buckets.set(bucket, new Set([runId]))
      this.#push(bucket)
    } else runs.add(runId)
  }

  #remove(runId: string, due: Due): void {
    this.#due.delete(runId)
    const bucket = Math.floor(due.fireAtMs / BUCKET_MS)
    // An emptied bucket stays until it surfaces in the heap: its number must not be there twice.
    this.#buckets.get(bucket)?.delete(runId)
  }

  #firstBucket(): number | undefined {
    for (;;) {
      const first = this.#heap[0]
      if (first === undefined || (this.#buckets.get(first)?.size ?? 0) > 0) return first
      this.#buckets.delete(first)
      this.#pop()
    }
  }

  #push(bucket: number): void {
    const heap = this.#heap
    let index = heap.length
    heap.push(bucket)
    while (index > 0) {
      const parent = (index - 1) >> 1
      const above = heap[parent]
      if (above === undefined || above <= bucket) break
      heap[index] = above
      index = parent
    }
    heap[index] = bucket
  }

  #pop(): void {
    const heap = this.#heap
    const last = heap.pop()
    if (last === undefined || heap.length === 0) return
    let index = 0
    for (;;) {
      const left = 2 * index + 1
      const right = left + 1
      const child = (heap[right] ?? Infinity) < (heap[left] ?? Infinity) ? right : left
      const below = heap[child]
      if (below === undefined || below >= last) break
      heap[index] = below
      index = child
    }
    heap[index] = last
  }
}
