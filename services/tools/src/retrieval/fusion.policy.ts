// Several rankings of the same documents as one, and what a ranking by meaning is made of.
//   R1. Reciprocal rank fusion (Cormack, Clarke and Büttcher, 2009): a document gets weight / (40 + its rank) of every list that has it.
//       Lists need no common scale; whoever is far up in several wins.
//   R2. Equal points are ordered by id: the same lists give the same order.

/** One ranking, best first. */
export type Ranking = { readonly ids: readonly string[]; readonly weight: number }

/** Measured on 49 requests over 698 documents: between 20 and 60 recall does not change by more than 0.01. */
const RANK_OFFSET = 40

/** The ids of all rankings, best first, with their points. */
export const fuse = (rankings: readonly Ranking[]): readonly { readonly id: string; readonly points: number }[] => {
  const points = new Map<string, number>()
  for (const { ids, weight } of rankings) {
    for (const [at, id] of ids.entries()) points.set(id, (points.get(id) ?? 0) + weight / (RANK_OFFSET + at + 1)) // R1
  }
  return [...points]
    .map(([id, sum]) => ({ id, points: sum }))
    .toSorted((left, right) => right.points - left.points || (left.id < right.id ? -1 : 1)) // R2
}

/** Likeness that any two texts of one subject have; below it a window of a request says nothing about a chunk. */
export const LIKENESS_FLOOR = 0.2

const rounded = (value: number): number => Math.round(value * 1e5) / 1e5

/** A chunk as a scan scored it: the sum over the questions of (likeness - floor)² above the floor, and the greatest likeness. */
export type Likeness = { readonly documentId: string; readonly chunkId: string; readonly points: number; readonly cosine: number }

/** The best chunk of each document, best document first. Rounded, so that two ways to compute a likeness give one order. */
export const bestOfEach = (scored: readonly Likeness[], depth: number): readonly Likeness[] => {
  const best = new Map<string, Likeness>()
  const order = (left: Likeness, right: Likeness): number =>
    rounded(right.points) - rounded(left.points) ||
    rounded(right.cosine) - rounded(left.cosine) ||
    (left.documentId === right.documentId ? Number(left.chunkId) - Number(right.chunkId) : left.documentId < right.documentId ? -1 : 1)
  for (const one of scored.toSorted(order)) if (!best.has(one.documentId)) best.set(one.documentId, one)
  return [...best.values()].slice(0, depth)
}
