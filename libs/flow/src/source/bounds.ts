// How large a document may be.
//   Y2. A document is bounded: size, depth and number of nodes, aliases expanded.
import type { Report } from '../diagnostic.ts'
import type { Source, Span } from './source.ts'

const MAX_CHARACTERS = 1_000_000
const MAX_NODES = 20_000
const MAX_DEPTH = 60

/** Reports a text that is too long to be read, and says so. */
export const reportLength = (source: Source, report: Report): boolean => {
  const { length } = source.text
  if (length <= MAX_CHARACTERS) return false
  report.add({ source, start: 0, end: 0 }, 'flow.too_large', `the file has ${length} characters; at most ${MAX_CHARACTERS} are read`)
  return true
}

/** Counts the nodes of one document. Once it is too large nothing of it holds any more; the first place is reported. */
export const createBounds = (report: Report): { readonly holds: (at: Span, depth: number) => boolean } => {
  let nodes = 0
  let reported = false
  return {
    holds: (at, depth) => {
      nodes += 1
      if (nodes <= MAX_NODES && depth <= MAX_DEPTH) return true // Y2
      if (!reported) report.add(at, 'flow.too_large', `the document has more than ${MAX_NODES} nodes or ${MAX_DEPTH} levels`)
      reported = true
      return false
    },
  }
}
