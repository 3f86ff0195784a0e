// Where the points of a flow stand in its file.
import { isMap, isPair, isScalar, isSeq, LineCounter, parseDocument, type Node } from 'yaml'
import type { Point } from './points.ts'

/** Finds the line of a point in a flow file, from 1. */
export const placesIn = (text: string): ((point: Pick<Point, 'at'>) => number) => {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, logLevel: 'silent' })
  return ({ at }) => {
    let node: unknown = document.contents
    let offset = 0
    for (const [index, segment] of at.entries()) {
      const found = typeof segment === 'number' ? itemOf(node, segment) : findKey(index === 0 ? stepsFirst(node, segment) : node, segment)
      if (found === undefined) continue
      offset = found.offset
      node = found.value
    }
    return lines.linePos(offset).line
  }
}

type Found = { readonly value: unknown; readonly offset: number }
const offsetOf = (node: unknown, otherwise: number): number => (node as Node | null)?.range?.[0] ?? otherwise // a node of yaml, or null

const itemOf = (node: unknown, index: number): Found | undefined => {
  const item = isSeq(node) ? node.items[index] : undefined
  return item === undefined ? undefined : { value: item, offset: offsetOf(item, 0) }
}

/** Words of the top are looked for there, everything else among the steps. */
const stepsFirst = (node: unknown, segment: string): unknown =>
  isMap(node) && !node.has(segment) ? (node.get('steps', true) ?? node) : node

/** The nearest entry of this key, however deep. */
const findKey = (root: unknown, key: string): Found | undefined => {
  let level: readonly unknown[] = [root]
  while (level.length > 0) {
    const next: unknown[] = []
    for (const node of level) {
      if (isMap(node)) {
        for (const pair of node.items) {
          if (isPair(pair) && isScalar(pair.key) && String(pair.key.value) === key)
            return { value: pair.value, offset: offsetOf(pair.key, 0) }
          next.push(pair.value)
        }
      } else if (isSeq(node)) next.push(...node.items)
    }
    level = next
  }
  return undefined
}
