// Which steps made a run take as long as it did.
//   P1. Walking back from what ended last, each step's predecessor is the one that ended last before it started.
//   P2. What is still open counts as ending last of all: the run waits for it.

/** A stretch of work. `endMs` null: still open. `seq` orders what happened in one millisecond. */
export type Stretch = { readonly id: string; readonly startMs: number; readonly endMs: number | null; readonly seq: number }

/** Ids of the stretches on the critical path, first to last. */
export const criticalPath = (stretches: readonly Stretch[]): readonly string[] => {
  // Latest end first; of equal ends the one that was told last.
  const left = [...stretches].sort((a, b) => endOf(b) - endOf(a) || b.seq - a.seq)
  const path: string[] = []
  let next: Stretch | undefined
  for (const stretch of left) {
    // P1: sorted by end, so the first that fits is the predecessor. P2: an open one ends at infinity and comes first.
    if (next !== undefined && !(endOf(stretch) <= next.startMs && stretch.seq < next.seq)) continue
    path.push(stretch.id)
    next = stretch
  }
  return path.reverse()
}

const endOf = ({ endMs }: Stretch): number => endMs ?? Number.POSITIVE_INFINITY
